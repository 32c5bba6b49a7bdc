/** What is due in an instance: a pure function of how far it has come. */
import type { Command } from '../command/command.ts';
import { toFaithfulJson } from '../event/json.ts';
import { describe } from '../ground/errors.ts';
import type { ChildEffect, CompleteEffect, Compensating, Effect, WaitEffect } from './effect.ts';
import { isUndoKey, progressed, undoKey, withConsequences } from './progress.ts';
import type { EffectProgress, Progress } from './progress.ts';
import { retryPolicy } from './retry.ts';
import type { RetryOptions } from './retry.ts';
import { versionOf } from './saga.ts';
import type { AnySaga } from './saga.ts';
import type { Consequence, Failure, Undo } from './step.ts';

/** A command that is due. */
export interface DueCommand {
  readonly key: string;
  readonly command: Command;
  readonly retry: RetryOptions | undefined;
}

export interface Agenda {
  /** What follows, to be recorded. */
  readonly follows: readonly Consequence[];
  /** What it then is like. */
  readonly progress: Progress;
  /** To be executed next, together with its step; nothing else is due before. */
  readonly command: DueCommand | undefined;
  /** The effects that `next` asks for, by key. */
  readonly effects: ReadonlyMap<string, Effect>;
  /** Activities and children that are begun by what follows, by key. One that is done with at once may not be asked for any more. */
  readonly begins: ReadonlyMap<string, Effect>;
  /** Whether nothing is under way or due. */
  readonly rests: boolean;
}

/** What an agenda is made with. */
export interface AgendaContext {
  readonly saga: AnySaga;
  /** In ms since the epoch. */
  readonly now: number;
  /** Whether the outside system can be asked what became of an attempt. */
  readonly canReconcile: (activity: string) => boolean;
  /** The effect that was begun under a key: also where `next` no longer asks for it. */
  readonly begun: (key: string) => Effect | undefined;
}

/** Looks in which something was begun or called off, before it is taken to go on for ever. */
const looksMax = 1_000;

/** Looks until nothing more follows: what follows may make other things due. */
export function agendaOf(before: Progress, context: AgendaContext): Agenda {
  const follows: Consequence[] = [];
  const begins = new Map<string, Effect>();
  let progress = before;
  for (let begun = 0; ;) {
    const look = new Look(progress, context);
    look.look();
    // What came in is used up at some time; what is begun anew each time is not.
    if (look.follows.length > 0 && look.follows.every(({ kind }) => kind !== 'received')) begun += 1;
    if (begun > looksMax) return endless(before, context.saga);
    follows.push(...look.follows);
    for (const one of look.follows) {
      const effect = one.kind === 'attempt' || one.kind === 'child' ? look.effects.get(one.key) : undefined;
      if (effect !== undefined) begins.set(effect.key, effect);
    }
    if (look.follows.length > 0) progress = withConsequences(context.saga, progress, look.follows);
    if (look.follows.length > 0 && !look.isLast) continue;
    const { command, effects } = look;
    const rests = command === undefined && !isAttempting(progress);
    return { follows, progress, command, effects, begins, rests };
  }
}

function isAttempting({ effects }: Progress): boolean {
  return [...effects.values()].some(({ status }) => status === 'attempting');
}

/** Nothing of it is begun: with each attempt a key of its own, say, all would be made. */
function endless(before: Progress, saga: AnySaga): Agenda {
  const message =
    '`next` asks for other effects whenever it is asked: a key must stay the same, and hold no time or chance';
  const follows: Consequence[] = [{ kind: 'stuck', failure: { code: 'next_failed', message } }];
  const progress = withConsequences(saga, before, follows);
  const rests = !isAttempting(progress);
  return { follows, progress, command: undefined, effects: new Map(), begins: new Map(), rests };
}

/** What undoes an effect, as data. @throws what `compensate` throws. */
export function undoOf(
  { compensate }: Compensating<never>,
  result: unknown,
  progress: Pick<EffectProgress, 'isUnknown'> & { readonly idempotencyKey: string },
): Undo | undefined {
  const { idempotencyKey, isUnknown } = progress;
  const given =
    typeof compensate === 'function' ? compensate(result as never, { idempotencyKey, isUnknown }) : compensate;
  if (given === undefined) return undefined;
  if (given.kind === 'activity') return { kind: 'activity', activity: given.activity, input: given.input ?? null };
  if (given.kind !== 'command') throw new TypeError('`compensate` gives neither a command nor an activity');
  const { isFinal: _, ...retry } = given.retry ?? {};
  return { kind: 'command', command: given.command, ...(Object.keys(retry).length > 0 && { retry }) };
}

/** The idempotency key of the attempts at an effect. */
export function idempotencyKeyOf(stream: string, key: string, generation: number): string {
  const plain = `${escaped(stream)}/${escaped(key)}`;
  return generation === 1 ? plain : `${plain}/${generation}`;
}

/** The key `a/2` is another one than the second of `a`. */
function escaped(name: string): string {
  return name.replaceAll('%', '%25').replaceAll('/', '%2F');
}

const keyMax = 200;
const timeMax = 8.64e15;

/** One look at an instance. */
class Look {
  readonly follows: Consequence[] = [];
  command: DueCommand | undefined;
  effects: ReadonlyMap<string, Effect> = new Map();
  /** Whether looking again would show nothing new. */
  isLast = false;
  readonly #progress: Progress;
  readonly #context: AgendaContext;

  constructor(progress: Progress, context: AgendaContext) {
    this.#progress = progress;
    this.#context = context;
  }

  look(): void {
    switch (this.#progress.status) {
      case 'running':
        return this.#run();
      case 'compensating':
        return this.#compensate();
      case 'stuck':
      case 'completed':
      case 'compensated':
      case 'deleted':
        return;
      default:
        this.#progress.status satisfies never;
    }
  }

  #run(): void {
    const { broken } = this.#progress;
    if (broken !== undefined) return this.#stick(broken);
    try {
      this.effects = this.#ask();
    } catch (error) {
      return this.#stick({ code: 'next_failed', message: describe(error) });
    }
    const effects = [...this.effects.values()];
    for (const effect of effects) {
      const failure = this.#failureOf(effect);
      if (failure === undefined) continue;
      this.follows.push({ kind: 'compensating', failure });
      return;
    }
    this.#receive(effects);
    // What has been received may be all that the others waited for.
    if (this.follows.length > 0) return;
    this.#cancelTimers();
    for (const effect of effects) this.#begin(effect);
    const ending = effects.find((effect) => effect.kind === 'complete');
    if (this.follows.length > 0 || this.command !== undefined || this.#isUnderWay()) return;
    if (ending !== undefined) return this.#end(ending);
    this.#stick({ code: 'nothing_due', message: '`next` asks for nothing that is not done, nor for the end' });
  }

  /** @throws what `next` throws, and a TypeError for what are no effects. */
  #ask(): ReadonlyMap<string, Effect> {
    const saga = versionOf(this.#context.saga, this.#progress.version) as AnySaga;
    const given = saga.next(this.#progress.state, progressed(this.#progress));
    if (!Array.isArray(given)) throw new TypeError('`next` must return a list of effects');
    const effects = new Map<string, Effect>();
    for (const effect of given as readonly Effect[]) {
      checkEffect(effect, saga);
      if (effects.has(effect.key)) throw new TypeError(`\`next\` returned two effects with the key ${effect.key}`);
      effects.set(effect.key, effect);
    }
    return effects;
  }

  #failureOf(effect: Effect): Failure | undefined {
    if (effect.kind === 'fail') {
      const { reason: message, details } = effect;
      return { code: 'failed', message, ...(details !== undefined && { details }) };
    }
    const { status, failure } = this.#progress.effects.get(effect.key) ?? {};
    if (status !== 'failed') return undefined;
    return failure ?? { code: 'failed', message: `${effect.key} failed` };
  }

  /** What came is for who waited already, also where it is why that is no longer asked for; then for who begins to wait. */
  #receive(effects: readonly Effect[]): void {
    const received = this.#progress.received.map(({ type }) => type);
    for (const { key, type } of [...this.#openWaits(), ...effects.filter((effect) => this.#isNewWait(effect))]) {
      const index = received.indexOf(type);
      if (index === -1) continue;
      received.splice(index, 1);
      this.follows.push({ kind: 'received', key, type });
    }
  }

  *#openWaits(): Iterable<{ readonly key: string; readonly type: string }> {
    for (const { key, kind, status, name: type = '' } of this.#progress.effects.values())
      if (kind === 'wait' && status === 'open') yield { key, type };
  }

  #isNewWait(effect: Effect): effect is WaitEffect {
    const status = this.#progress.effects.get(effect.key)?.status;
    return effect.kind === 'wait' && (status === undefined || status === 'cancelled');
  }

  /** Of what is no longer asked for. */
  #cancelTimers(): void {
    for (const { key, status, kind } of this.#progress.effects.values())
      if (status === 'open' && kind !== 'child' && !this.effects.has(key))
        this.follows.push({ kind: 'timer_cancelled', key });
  }

  #begin(effect: Effect): void {
    const { key } = effect;
    const before = this.#progress.effects.get(key);
    const isNew = before === undefined || before.status === 'due' || before.status === 'cancelled';
    if (!isNew) return;
    const { now } = this.#context;
    switch (effect.kind) {
      case 'command':
        this.command ??= { key, command: effect.command, retry: effect.retry };
        return;
      case 'activity':
        return this.#attempt(key, effect.activity, effect.input, before);
      case 'wait':
        this.follows.push({
          kind: 'timer',
          key,
          at: Math.min(timeMax, now + effect.timeoutMs),
          for: 'wait',
          type: effect.type,
        });
        return;
      case 'sleep': {
        const { duration } = effect;
        const at = 'ms' in duration ? now + duration.ms : duration.until;
        this.follows.push({ kind: 'timer', key, at: Math.min(timeMax, Math.ceil(at)), for: 'sleep' });
        return;
      }
      case 'child':
        return this.#beginChild(effect);
      case 'complete':
      case 'fail':
        return;
      default:
        effect satisfies never;
    }
  }

  /** One that is detached is done with as soon as it is begun. */
  #beginChild(effect: ChildEffect): void {
    const { key, saga, id, detached } = effect;
    if (detached !== true) return void this.follows.push({ kind: 'child', key, saga, id });
    try {
      const undo = this.#undoOf(effect, key, { id }, false);
      this.follows.push({ kind: 'child', key, saga, id, detached, ...(undo !== undefined && { undo }) });
    } catch (error) {
      this.#stickWithout(key, error);
    }
  }

  /** A further attempt has the input of the first: the same key with another one would be refused. */
  #attempt(key: string, activity: string, input: unknown, before: EffectProgress | undefined): void {
    const attempt = (before?.attempt ?? 0) + 1;
    this.follows.push({ kind: 'attempt', key, activity, attempt, ...(attempt === 1 && { input: input ?? null }) });
  }

  #isUnderWay(): boolean {
    return [...this.#progress.effects.values()].some(
      ({ status }) => status === 'attempting' || status === 'retrying' || status === 'open',
    );
  }

  #end({ result }: CompleteEffect): void {
    this.isLast = true;
    this.follows.push({
      kind: 'ended',
      outcome: 'completed',
      ...(result !== undefined && { result }),
      ...this.#parent,
    });
  }

  #stick(failure: Failure, key?: string): void {
    this.isLast = true;
    this.follows.push({ kind: 'stuck', ...(key !== undefined && { key }), failure });
  }

  /** First what is under way is brought to an end; then what was done is undone, the last first. */
  #compensate(): void {
    let isWaiting = false;
    for (const effect of this.#progress.effects.values()) {
      if (isUndoKey(effect.key)) continue;
      if (effect.status === 'attempting' || (effect.kind === 'child' && effect.status === 'open')) isWaiting = true;
      else if (effect.status === 'open') this.follows.push({ kind: 'timer_cancelled', key: effect.key });
      else if (effect.status === 'retrying' && this.#canAsk(effect)) isWaiting = true;
      else if (effect.status === 'retrying' || effect.status === 'due') isWaiting = this.#giveUp(effect) || isWaiting;
    }
    if (isWaiting || this.follows.length > 0) return;
    const { undo, effects, failure } = this.#progress;
    const last = undo.findLast(({ of }) => effects.get(undoKey(of))?.status !== 'completed');
    if (last !== undefined) return this.#undo(undoKey(last.of), last.undo);
    this.isLast = true;
    this.follows.push({ kind: 'ended', outcome: 'compensated', failure: failure as Failure, ...this.#parent });
  }

  get #parent(): Pick<Progress, 'parent'> {
    const { parent } = this.#progress;
    return parent === undefined ? {} : { parent };
  }

  /** Whether the outside system can be asked what became of it. */
  #canAsk({ kind, isUnknown, name = '' }: EffectProgress): boolean {
    return kind === 'activity' && isUnknown && this.#context.canReconcile(name);
  }

  /** Whether it is asked for that first. */
  #giveUp(effect: EffectProgress): boolean {
    const { key, kind, name = '', attempt, isUnknown } = effect;
    if (this.#canAsk(effect)) {
      this.follows.push({ kind: 'attempt', key, activity: name, attempt: attempt + 1 });
      return true;
    }
    const begun = kind === 'activity' ? this.#context.begun(key) : undefined;
    try {
      const undo = this.#undoOf(begun, key, undefined, isUnknown);
      this.follows.push({ kind: 'abandoned', key, ...(undo !== undefined && { undo }) });
    } catch (error) {
      this.#stickWithout(key, error);
    }
    return false;
  }

  /** Nobody knows what undoes an effect. */
  #stickWithout(key: string, error: unknown): void {
    this.#stick({ code: 'compensate_failed', message: `what undoes ${key} is not known: ${describe(error)}` });
  }

  /** @throws what `compensate` throws, and what cannot be kept. */
  #undoOf(begun: Effect | undefined, key: string, result: unknown, isUnknown: boolean): Undo | undefined {
    if (begun === undefined || !('compensate' in begun)) return undefined;
    const { saga, id, effects } = this.#progress;
    const idempotencyKey = idempotencyKeyOf(`${saga}-${id}`, key, effects.get(key)?.generation ?? 1);
    const undo = undoOf(begun as Compensating<never>, result, { idempotencyKey, isUnknown });
    if (undo !== undefined) toFaithfulJson(undo, 'compensate');
    return undo;
  }

  #undo(key: string, undo: Undo): void {
    if (undo.kind === 'unknown') return this.#stick(undo.failure, key);
    const before = this.#progress.effects.get(key);
    if (before?.status === 'failed') {
      const failure = before.failure ?? { code: 'failed', message: 'it failed' };
      return this.#stick(failure, key);
    }
    if (before !== undefined && before.status !== 'due') return;
    if (undo.kind === 'command') this.command = { key, command: undo.command, retry: undo.retry };
    else this.#attempt(key, undo.activity, undo.input, before);
  }
}

/** As a field of a document. */
function isKeepable(key: string): boolean {
  return key.isWellFormed() && !key.includes('\0');
}

/** @throws {TypeError} */
function checkEffect(effect: Effect, saga: AnySaga): void {
  const refuse = (reason: string) => new TypeError(`the effect ${String(effect?.key)} ${reason}`);
  if (typeof effect !== 'object' || effect === null) throw new TypeError(`${String(effect)} is no effect`);
  const { key } = effect;
  if (typeof key !== 'string' || key === '' || key.length > keyMax || isUndoKey(key) || !isKeepable(key))
    throw refuse(`needs a key of 1 to ${keyMax} characters that does not begin with ~`);
  switch (effect.kind) {
    case 'activity':
      if (!saga.activities.has(effect.activity)) throw refuse(`asks for ${effect.activity}, none of its activities`);
      return;
    case 'child':
      if (!saga.children.includes(effect.saga)) throw refuse(`asks for ${effect.saga}, none of its children`);
      return;
    case 'wait':
      if (!Object.hasOwn(saga.events, effect.type)) throw refuse(`waits for ${effect.type}, none of its events`);
      if (!(effect.timeoutMs >= 0 && Number.isFinite(effect.timeoutMs))) throw refuse('needs a finite timeoutMs');
      return;
    case 'sleep':
      if (!Number.isFinite('ms' in effect.duration ? effect.duration.ms : effect.duration.until))
        throw refuse('needs { ms } or { until }, a finite number');
      return;
    case 'command':
      if (typeof effect.command !== 'object' || effect.command === null) throw refuse('has no command');
      if (effect.retry !== undefined) retryPolicy(saga.name, effect.retry);
      return;
    case 'fail':
      if (typeof effect.reason !== 'string') throw refuse('needs a reason, a string');
      return;
    case 'complete':
      return;
    default:
      effect satisfies never;
      throw refuse('is of no known kind');
  }
}
