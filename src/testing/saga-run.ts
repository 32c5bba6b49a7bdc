/** What a worker does with an instance, done at once, without a store, and by a virtual clock: on the same fold and the same agenda. */
import { toFaithfulJson } from '../event/json.ts';
import { EngineError, describe } from '../ground/errors.ts';
import { agendaOf } from '../saga/agenda.ts';
import type { Agenda } from '../saga/agenda.ts';
import { failureOf } from '../saga/attempt.ts';
import type { Effect } from '../saga/effect.ts';
import { endOfAttempt } from '../saga/endings.ts';
import type { Ending, EndingParts } from '../saga/endings.ts';
import { advance, isUndoKey, progressed, undoKey, withConsequences } from '../saga/progress.ts';
import type { EffectProgress, Progress } from '../saga/progress.ts';
import { activityOf } from '../saga/runtime.ts';
import type { AnySaga } from '../saga/saga.ts';
import type { Consequence, Step, Undo } from '../saga/step.ts';
import { complain } from './complaint.ts';
import { validNow } from './valid-now.ts';

/** What undoes an effect where `compensate` failed: nobody knows. */
interface UnknownUndo {
  readonly kind: 'unknown';
  readonly key: string;
}

/** An effect that is asked for and not done. */
export interface DueEffect {
  readonly effect: Effect | UnknownUndo;
  /** How far it has come; undefined: it has not begun. */
  readonly progress: EffectProgress | undefined;
}

export interface RunOptions {
  readonly id: string | undefined;
  /** In ms since the epoch. */
  readonly now: number;
  /** Activities whose implementations can be asked what became of an attempt. */
  readonly reconciles: readonly string[];
}

interface Attempting {
  /** In ms since the epoch. */
  readonly since: number;
  /** Whether it only asks what became of an earlier one. */
  readonly asks: boolean;
}

/** A worker looks again after each step; one that never gets to the end of it would never rest. */
const stepsMax = 1_000;

export class SagaRun {
  readonly saga: AnySaga;
  readonly #options: RunOptions;
  #now: number;
  #progress: Progress | undefined;
  /** Done with as soon as the last thing that happened asked for it: an end, and children whose own is not waited for. */
  #momentary: readonly Effect[] = [];
  readonly #steps: Step[];
  readonly #begun: Map<string, Effect>;
  readonly #attempting: Map<string, Attempting>;

  constructor(saga: AnySaga, options: RunOptions, from?: SagaRun) {
    this.saga = saga;
    this.#options = options;
    this.#now = from?.now ?? options.now;
    this.#progress = from?.progress;
    this.#steps = from === undefined ? [] : [...from.#steps];
    this.#begun = new Map(from === undefined ? [] : from.#begun);
    this.#attempting = new Map(from === undefined ? [] : from.#attempting);
    if (from !== undefined) this.#momentary = from.#momentary;
  }

  /** One that goes its own way from here. */
  fork(): SagaRun {
    return new SagaRun(this.saga, this.#options, this);
  }

  get now(): number {
    return this.#now;
  }

  get progress(): Progress | undefined {
    return this.#progress;
  }

  /** What was recorded, as it would be read. */
  get steps(): readonly Step[] {
    return this.#steps;
  }

  /** Of the instance: what was asked for, or what it was started with. */
  get id(): string | undefined {
    return this.#progress?.id ?? this.#options.id;
  }

  /** What it is, in a few words. */
  get who(): string {
    const progress = this.#progress;
    if (progress === undefined) return `${this.saga.name} has not been started`;
    const { saga, id, status, stuck, failure } = progress;
    const at = stuck?.key === undefined ? '' : ` at ${stuck.key}`;
    const why = stuck?.failure ?? failure;
    return `${saga} ${id} is ${status}${at}${why === undefined ? '' : ` (${why.code}: ${why.message})`}`;
  }

  /** @throws {AssertionError} if it has not been started. */
  get started(): Progress {
    return this.#progress ?? complain(this.who);
  }

  parts(): EndingParts {
    const runtime = { now: () => this.#now, random: () => 1 };
    return { runtime, saga: this.saga, progress: this.started, begun: (key) => this.#begun.get(key) };
  }

  agenda(progress: Progress = this.started): Agenda {
    return agendaOf(progress, {
      saga: this.saga,
      now: this.#now,
      canReconcile: (activity) => this.#options.reconciles.includes(activity),
      begun: (key) => this.#begun.get(key),
    });
  }

  /** Something has happened; what a worker then does without being told is done as well. @param id of the instance, where it begins. */
  happen(ending: Ending, id: string = this.started.id): void {
    this.#momentary = [];
    this.#record(ending, id);
    for (let steps = 1; ; steps++) {
      const next = this.#ofItself();
      if (next === undefined) return;
      if (steps > stepsMax) complain(`${this.who}: after ${stepsMax} steps it still does not wait for anything`);
      this.#record(next, id);
    }
  }

  #record({ on, first = [] }: Ending, id: string): void {
    const before = this.#progress;
    const version = (before?.streamVersion ?? 0) + 1;
    const place = { id, version, correlationId: `${this.saga.name}-${id}` };
    const at = this.#now;
    const happened = advance(this.saga, before, { ...place, step: { on, at, follows: first } });
    const { follows, effects, begins, rests, progress } = this.agenda(happened);
    const step: Step = { on, at, follows: [...first, ...follows], rests };
    const text = stepText(step);
    // What is asked for and cannot be kept is what it is stuck at.
    if (text instanceof EngineError) {
      const failure = failureOf('next_failed', describe(text));
      return this.#record({ on, first: [...first, { kind: 'stuck', failure }] }, id);
    }
    this.#steps.push(JSON.parse(text) as Step);
    const after = { ...progress, rests };
    this.#progress = after;
    const detached = [...begins.values()].filter((one) => one.kind === 'child' && one.detached === true);
    this.#momentary = [...this.#momentary, ...detached, ...this.#endingsOf(happened, follows, effects)];
    for (const one of follows) {
      if (one.kind !== 'attempt' && one.kind !== 'child') continue;
      const effect = begins.get(one.key);
      if (effect !== undefined && !this.#begun.has(one.key)) this.#begun.set(one.key, effect);
      const asks = after.status === 'compensating' && !isUndoKey(one.key);
      if (one.kind === 'attempt') this.#attempting.set(one.key, { since: this.#now, asks });
    }
  }

  /** What has ended it: `complete`, or `fail` before all was undone. */
  #endingsOf(
    happened: Progress,
    follows: readonly Consequence[],
    effects: ReadonlyMap<string, Effect>,
  ): readonly Effect[] {
    const last = follows.at(-1);
    if (last?.kind === 'ended' && last.outcome === 'completed')
      return [...effects.values()].filter((one) => one.kind === 'complete');
    const index = follows.findIndex(({ kind }) => kind === 'compensating');
    if (index === -1) return [];
    const until = withConsequences(this.saga, happened, follows.slice(0, index));
    const asked = this.saga.next(until.state, progressed(until)) as readonly Effect[];
    const cause = asked.find(({ kind, key }) => kind === 'fail' || until.effects.get(key)?.status === 'failed');
    return cause?.kind === 'fail' ? [cause] : [];
  }

  #ofItself(): Ending | undefined {
    return this.#firedTimer() ?? this.#refusedInput() ?? this.#brokenOff();
  }

  /** The earliest of those that are due. */
  #firedTimer(): Ending | undefined {
    const timer = this.#nextTimer();
    return timer !== undefined && timer.at <= this.#now ? { on: { kind: 'timer', key: timer.key } } : undefined;
  }

  #nextTimer(): { readonly key: string; readonly at: number } | undefined {
    const { effects, status } = this.started;
    if (status === 'stuck') return undefined;
    const timers = [...effects.values()].flatMap(({ key, timer }) => (timer === undefined ? [] : [{ key, ...timer }]));
    return timers.reduce<(typeof timers)[number] | undefined>(
      (first, one) => (first === undefined || one.at < first.at ? one : first),
      undefined,
    );
  }

  /** An attempt that is not made, because its schema does not take what the saga asks for. */
  #refusedInput(): Ending | undefined {
    for (const { key, status, name = '', input, attempt } of this.started.effects.values()) {
      const activity = activityOf(this.saga, name);
      if (status !== 'attempting' || activity === undefined) continue;
      const { issues } = validNow(activity.input, input, `the input of ${name}`);
      if (issues === undefined) continue;
      const failure = { code: 'input_invalid', message: issues.map(({ message }) => message).join('; ') };
      return endOfAttempt(this.parts(), key, attempt, { kind: 'failed', failure, final: true, unknown: false });
    }
    return undefined;
  }

  /** What is under way when all is to be undone. */
  #brokenOff(): Ending | undefined {
    const { status, effects } = this.started;
    if (status !== 'compensating') return undefined;
    for (const effect of effects.values()) {
      const { key, attempt } = effect;
      if (effect.status !== 'attempting' || isUndoKey(key) || this.#attempting.get(key)?.asks === true) continue;
      const failure = { code: 'aborted', message: 'it was broken off' };
      return endOfAttempt(this.parts(), key, attempt, { kind: 'failed', failure, final: true, unknown: true });
    }
    return undefined;
  }

  /** The clock moves on, and timers fire, the earliest first. @param time in ms since the epoch. */
  passTo(time: number): void {
    const momentary: Effect[] = [];
    for (;;) {
      const timer = this.#progress === undefined ? undefined : this.#nextTimer();
      if (timer === undefined || timer.at > time) break;
      this.#now = Math.max(this.#now, timer.at);
      this.happen({ on: { kind: 'timer', key: timer.key } });
      momentary.push(...this.#momentary);
    }
    this.#momentary = momentary;
    this.#now = Math.max(this.#now, time);
  }

  /** When an attempt that is under way has taken too long. */
  timeLimit({ key, name = '' }: EffectProgress): number {
    const timeoutMs = activityOf(this.saga, name)?.timeoutMs ?? 0;
    return (this.#attempting.get(key)?.since ?? this.#now) + timeoutMs;
  }

  /** What is asked for and not done, behind what has just been done with. While all is undone: what is still to be undone, in order. */
  due(): readonly DueEffect[] {
    const momentary = this.#momentary.map((effect) => ({ effect, progress: undefined }));
    const { status } = this.started;
    if (status === 'running') return [...momentary, ...this.#asked()];
    return status === 'compensating' ? [...momentary, ...this.#broughtToAnEnd(), ...this.#toUndo()] : momentary;
  }

  #asked(): readonly DueEffect[] {
    const { effects } = this.started;
    return [...this.agenda().effects.values()]
      .filter(({ kind }) => kind !== 'complete' && kind !== 'fail')
      .map((effect) => ({ effect, progress: effects.get(effect.key) }))
      .filter(({ progress }) => progress?.status !== 'completed');
  }

  /** What is not undone before its end is known. */
  #broughtToAnEnd(): readonly DueEffect[] {
    return [...this.started.effects.values()].flatMap((progress) => {
      const { key, status } = progress;
      const effect = this.#begun.get(key);
      const isOver = status === 'completed' || status === 'failed' || status === 'cancelled';
      return isUndoKey(key) || isOver || effect === undefined ? [] : [{ effect, progress }];
    });
  }

  #toUndo(): readonly DueEffect[] {
    const { undo, effects } = this.started;
    return undo
      .map((one) => ({ effect: effectOf(one), progress: effects.get(undoKey(one.of)) }))
      .filter(({ progress }) => progress?.status !== 'completed')
      .reverse();
  }
}

/** @throws what cannot be kept of what happened. */
function stepText(step: Step): string | EngineError {
  toFaithfulJson(step.on, 'step.on');
  try {
    return toFaithfulJson(step, 'step');
  } catch (error) {
    return error as EngineError;
  }
}

function effectOf({ of, undo }: { readonly of: string; readonly undo: Undo }): DueEffect['effect'] {
  const key = undoKey(of);
  if (undo.kind === 'unknown') return { kind: 'unknown', key };
  if (undo.kind === 'command') return { kind: 'command', key, command: undo.command };
  return { kind: 'activity', key, activity: undo.activity, input: undo.input };
}
