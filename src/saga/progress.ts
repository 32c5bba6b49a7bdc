/** The fold of an instance's steps: how far it has come. Data only. */
import type { StreamEvent } from '../event/codec.ts';
import { deletedType } from '../event/event.ts';
import { toCanonicalJson } from '../event/json.ts';
import { describe } from '../ground/errors.ts';
import { IdSet } from './id-set.ts';
import type { AnySaga, AnySagaEvent, Progressed } from './saga.ts';
import { versionOf } from './saga.ts';
import type { Consequence, Ended, Failure, Occurrence, Parent, Step, TimerPurpose, Trigger, Undo } from './step.ts';

/** `deleted`: its stream was ended by a tombstone. What it has done is left as it is. */
export type SagaStatus = 'running' | 'compensating' | 'stuck' | 'completed' | 'compensated' | 'deleted';

/** How far one effect has come. */
export interface EffectProgress {
  /** That of what undoes the effect `charge` is `~charge`. */
  readonly key: string;
  readonly kind: 'command' | 'activity' | 'wait' | 'sleep' | 'child';
  /** Of the activity or the child saga; the type that is waited for. */
  readonly name?: string;
  /**
   * `attempting`: an attempt is under way; `retrying`: the next one waits for its time; `due`: it can be made; `open`: waits or sleeps;
   * `cancelled`: no longer asked for.
   */
  readonly status: 'attempting' | 'retrying' | 'due' | 'open' | 'completed' | 'failed' | 'cancelled';
  /** The last that was begun. */
  readonly attempt: number;
  /** Attempts that failed, and those whose end nobody knows, since an operator had it tried again. */
  readonly failures: number;
  readonly lost: number;
  /** How often it was begun: an operator's `retry` begins it anew, under another idempotency key. */
  readonly generation: number;
  /** Whether it may have happened although no attempt is known to have succeeded. */
  readonly isUnknown: boolean;
  readonly input?: unknown;
  /** When it goes on, in ms since the epoch. */
  readonly timer?: { readonly at: number; readonly for: TimerPurpose };
  readonly result?: unknown;
  readonly failure?: Failure;
  /** Why an operator had it passed over. */
  readonly skipped?: string;
}

/** How far an instance has come. */
export interface Progress<State = unknown> {
  readonly saga: string;
  readonly id: string;
  /** Of the definition that it runs on. */
  readonly version: number;
  readonly status: SagaStatus;
  /** What its events have been folded into. */
  readonly state: State;
  readonly effects: ReadonlyMap<string, EffectProgress>;
  /** What is to be undone should it fail, in the order in which it was done. */
  readonly undo: readonly { readonly of: string; readonly undo: Undo }[];
  /** Why it is compensated. */
  readonly failure?: Failure;
  /** At what it is stuck; without a key, at no effect. */
  readonly stuck?: { readonly key?: string; readonly failure: Failure };
  readonly result?: unknown;
  readonly startedAt: number;
  /** Of its last step. */
  readonly changedAt: number;
  readonly streamVersion: number;
  readonly parent?: Parent;
  /** @internal Its input, as canonical JSON. */
  readonly startedWith?: string;
  /** @internal Whether nothing was under way or due after its last step. */
  readonly rests: boolean;
  /** @internal The last event that came in: what was before it does not come any more. */
  readonly watermark: EventPlace;
  /** @internal Ids of what came in. */
  readonly seen: IdSet;
  /** @internal What came in and nobody has waited for. */
  readonly received: readonly { readonly type: string; readonly data: unknown }[];
  /** @internal Why its state could not be folded further. */
  readonly broken?: Failure;
  /** @internal Where it goes on when it is no longer stuck. */
  readonly stuckFrom?: 'running' | 'compensating';
  /** @internal Of the event or call that it began with. */
  readonly correlationId: string;
}

/** When and where an event was recorded. */
type EventPlace = Pick<Trigger, 'recordedAt' | 'position'>;

/** In whatever store: its events may have other positions than where they come from, but the same times. */
export function isBefore(a: EventPlace, b: EventPlace): boolean {
  return a.recordedAt === b.recordedAt ? a.position < b.position : a.recordedAt < b.recordedAt;
}

/** A step, and its place. */
export interface PlacedStep {
  readonly step: Step;
  readonly id: string;
  readonly version: number;
  readonly correlationId: string;
}

type Failed = Extract<Occurrence, { readonly kind: 'failed' }>;

type Draft = { -readonly [Key in keyof Progress]: Progress[Key] } & {
  effects: Map<string, EffectProgress>;
  received: { readonly type: string; readonly data: unknown }[];
};

/** Called for each effect that is begun, before it is. */
export type OnBegun = (key: string, before: Progress) => void;

const undoPrefix = '~';

/** Under which key an effect is undone. */
export function undoKey(of: string): string {
  return `${undoPrefix}${of}`;
}

export function isUndoKey(key: string): boolean {
  return key.startsWith(undoPrefix);
}

/** The next step taken in. Pure, and never fails: what cannot be folded is noted down as `broken`. */
export function advance(saga: AnySaga, before: Progress | undefined, placed: PlacedStep, onBegun?: OnBegun): Progress {
  const { step, version } = placed;
  const draft = before === undefined ? begin(saga, placed) : draftOf(before);
  draft.streamVersion = version;
  draft.changedAt = step.at;
  new Fold(saga, draft, step.at, onBegun).take(step);
  return draft;
}

/** What consequences lead to that are not recorded yet. */
export function withConsequences(saga: AnySaga, before: Progress, follows: readonly Consequence[]): Progress {
  const draft = draftOf(before);
  const fold = new Fold(saga, draft, before.changedAt);
  for (const one of follows) fold.follow(one);
  return draft;
}

/** What `next` may know. */
export function progressed({ effects }: Progress): Progressed {
  return {
    isDone: (key) => effects.get(key)?.status === 'completed',
    resultOf: (key) => effects.get(key)?.result,
  };
}

export function hasEnded({ status }: Progress): boolean {
  return status === 'completed' || status === 'compensated' || status === 'deleted';
}

/** An event of its stream that is no step: it changes nothing, unless it ends the stream. */
export function passOver(
  before: Progress,
  { type, version: streamVersion }: Pick<StreamEvent, 'type' | 'version'>,
): Progress {
  return { ...before, streamVersion, ...(type === deletedType && { status: 'deleted' }) };
}

function begin(saga: AnySaga, { step, id, correlationId }: PlacedStep): Draft {
  const { version, parent, input } = step.on as Extract<Occurrence, { readonly kind: 'started' }>;
  return {
    saga: saga.name,
    id,
    version,
    status: 'running',
    ...initial(saga, version),
    effects: new Map(),
    undo: [],
    startedAt: step.at,
    changedAt: step.at,
    streamVersion: 0,
    rests: false,
    watermark: { recordedAt: 0, position: 0 },
    seen: IdSet.empty,
    received: [],
    correlationId,
    ...(parent !== undefined && { parent }),
    ...(input !== undefined && { startedWith: toCanonicalJson(input, 'input') }),
  };
}

function initial(saga: AnySaga, version: number): Pick<Progress, 'state' | 'broken'> {
  try {
    return { state: versionOf(saga, version)?.start() };
  } catch (error) {
    const broken = { code: 'evolve_failed', message: `initialState failed: ${describe(error)}` };
    return { state: undefined, broken };
  }
}

function draftOf(before: Progress): Draft {
  return { ...before, effects: new Map(before.effects), received: [...before.received] };
}

const fresh = { attempt: 0, failures: 0, lost: 0, generation: 1, isUnknown: false } as const;

function withoutTimer(effect: EffectProgress): EffectProgress {
  const { timer: _, ...rest } = effect;
  return rest;
}

class Fold {
  readonly #saga: AnySaga;
  readonly #draft: Draft;
  readonly #now: number;
  readonly #onBegun: OnBegun | undefined;

  constructor(saga: AnySaga, draft: Draft, now: number, onBegun?: OnBegun) {
    this.#saga = saga;
    this.#draft = draft;
    this.#now = now;
    this.#onBegun = onBegun;
  }

  take({ on, follows = [], rests = false }: Step): void {
    this.#draft.rests = rests;
    this.#happen(on);
    for (const one of follows) this.follow(one);
  }

  #happen(on: Occurrence): void {
    switch (on.kind) {
      case 'started':
        if (on.trigger === undefined) this.#evolve({ type: 'started', data: on.input, at: this.#now });
        else this.#receive(on.trigger);
        return;
      case 'event':
        return this.#receive(on.trigger);
      case 'signal':
        this.#note(`signal ${on.id}`);
        return this.#takeIn({ type: on.type, data: on.data, at: this.#now });
      case 'completed':
        this.#remember(on.key, on.undo);
        return this.#complete(on.key, on.result);
      case 'failed':
        return this.#fail(on);
      case 'lost':
        return this.#change(on.key, ({ lost, ...rest }) => ({
          ...rest,
          lost: lost + 1,
          isUnknown: true,
          status: 'due',
        }));
      case 'timer':
        return this.#fire(on.key);
      case 'child':
        return this.#endChild(on);
      case 'operator':
        return this.#resolve(on);
      case 'cancel':
        return this.#compensate({ code: 'cancelled', message: on.reason });
      case 'migrated':
        this.#draft.version = on.to;
        this.#draft.state = on.state;
        delete this.#draft.broken;
        return;
      case 'taken_up':
        return;
      default:
        on satisfies never;
    }
  }

  follow(consequence: Consequence): void {
    switch (consequence.kind) {
      case 'attempt': {
        if (consequence.attempt === 1) this.#onBegun?.(consequence.key, this.#draft);
        const { activity: name, attempt, input } = consequence;
        return this.#begin(consequence.key, 'activity', {
          name,
          attempt,
          status: 'attempting',
          ...(input !== undefined && { input }),
        });
      }
      case 'timer': {
        const { at, for: purpose, type: name } = consequence;
        const timer = { at, for: purpose };
        if (purpose === 'retry') return this.#change(consequence.key, (one) => ({ ...one, timer }));
        return this.#begin(consequence.key, purpose, { status: 'open', timer, ...(name !== undefined && { name }) });
      }
      case 'timer_cancelled':
        return this.#change(consequence.key, (one) => ({ ...withoutTimer(one), status: 'cancelled' }));
      case 'received':
        return this.#consume(consequence.key, consequence.type);
      case 'child':
        this.#onBegun?.(consequence.key, this.#draft);
        if (consequence.detached !== true)
          return this.#begin(consequence.key, 'child', { name: consequence.saga, status: 'open' });
        this.#remember(consequence.key, consequence.undo);
        return this.#begin(consequence.key, 'child', {
          name: consequence.saga,
          status: 'completed',
          result: { id: consequence.id },
        });
      case 'abandoned':
        this.#remember(consequence.key, consequence.undo);
        return this.#change(consequence.key, (one) => ({ ...withoutTimer(one), status: 'failed' }));
      case 'compensating':
        return this.#compensate(consequence.failure);
      case 'stuck': {
        const { status } = this.#draft;
        this.#draft.stuckFrom = status === 'compensating' ? 'compensating' : 'running';
        this.#draft.status = 'stuck';
        const { kind: _, ...stuck } = consequence;
        this.#draft.stuck = stuck;
        return;
      }
      case 'ended':
        this.#draft.status = consequence.outcome;
        if (consequence.outcome === 'completed' && consequence.result !== undefined)
          this.#draft.result = consequence.result;
        if (consequence.outcome === 'compensated') this.#draft.failure = consequence.failure;
        return;
      default:
        consequence satisfies never;
    }
  }

  #begin(key: string, kind: EffectProgress['kind'], changed: Partial<EffectProgress>): void {
    const { timer: _, ...before } = this.#draft.effects.get(key) ?? { key, kind, ...fresh, status: 'due' };
    this.#draft.effects.set(key, { ...before, ...changed });
  }

  #change(key: string, make: (before: EffectProgress) => EffectProgress): void {
    const before = this.#draft.effects.get(key);
    if (before !== undefined) this.#draft.effects.set(key, make(before));
  }

  #remember(of: string, undo: Undo | undefined): void {
    if (undo !== undefined) this.#draft.undo = [...this.#draft.undo, { of, undo }];
  }

  #arrive(trigger: Trigger): void {
    const { recordedAt, position, id } = trigger;
    if (!isBefore(trigger, this.#draft.watermark)) this.#draft.watermark = { recordedAt, position };
    this.#note(id);
  }

  #receive(trigger: Trigger): void {
    this.#arrive(trigger);
    const { type, data, stream, recordedAt: at } = trigger;
    this.#takeIn({ type, data, at, stream, aggregateId: stream.slice(stream.indexOf('-') + 1) });
  }

  #note(id: string): void {
    this.#draft.seen = this.#draft.seen.with(id);
  }

  /** What is waited for is looked for among what has come, by whoever decides what follows. */
  #takeIn(event: AnySagaEvent): void {
    this.#unstick();
    this.#draft.received.push({ type: event.type, data: event.data });
    this.#evolve(event);
  }

  /** One that is stuck at no effect may go on with what has come. */
  #unstick(): void {
    const { status, stuck, stuckFrom = 'running' } = this.#draft;
    if (status !== 'stuck' || stuck?.key !== undefined) return;
    this.#draft.status = stuckFrom;
    delete this.#draft.stuck;
  }

  #consume(key: string, type: string): void {
    const { received } = this.#draft;
    const index = received.findIndex((one) => one.type === type);
    const [found] = index === -1 ? [] : received.splice(index, 1);
    this.#begin(key, 'wait', { name: type, status: 'completed', result: found?.data ?? null });
  }

  #complete(key: string, result: unknown): void {
    this.#begin(key, 'command', { status: 'completed', result });
    this.#evolveEffect(key, 'completed', result);
  }

  #fail({ key, of, failure, final, unknown = false, undo }: Failed): void {
    this.#begin(key, of ?? 'command', {});
    this.#remember(key, undo);
    this.#change(key, (one) => ({
      ...one,
      failure,
      failures: one.failures + 1,
      // What an earlier attempt may have done is not undone by a refusal.
      isUnknown: one.isUnknown || unknown,
      attempt: one.kind === 'command' ? one.attempt + 1 : one.attempt,
      status: final ? 'failed' : 'retrying',
    }));
    if (final) this.#evolveEffect(key, 'failed', failure);
  }

  #fire(key: string): void {
    const effect = this.#draft.effects.get(key);
    if (effect?.timer === undefined) return;
    const { timer, ...rest } = effect;
    const { effects } = this.#draft;
    switch (timer.for) {
      case 'retry':
        effects.set(key, { ...rest, status: 'due' });
        return;
      case 'sleep':
        effects.set(key, { ...rest, status: 'completed', result: null });
        return this.#evolve({ type: 'sleep.completed', key, data: null, at: this.#now });
      case 'wait': {
        const failure = { code: 'timed_out', message: `no ${rest.name} came in time` };
        effects.set(key, { ...rest, status: 'failed', failure });
        return this.#evolve({ type: 'wait.timed_out', key, data: { type: rest.name }, at: this.#now });
      }
      default:
        timer.for satisfies never;
    }
  }

  #endChild({ key, trigger, undo }: Extract<Occurrence, { readonly kind: 'child' }>): void {
    this.#arrive(trigger);
    const end = trigger.data as Ended;
    this.#remember(key, undo);
    if (end.outcome === 'completed') {
      const { result = null } = end;
      this.#change(key, (one) => ({ ...one, status: 'completed', result }));
      return this.#evolve({ type: 'child.completed', key, data: result, at: this.#now });
    }
    const { failure } = end;
    this.#change(key, (one) => ({ ...one, status: 'failed', failure }));
    return this.#evolve({ type: 'child.failed', key, data: failure, at: this.#now });
  }

  #resolve({ key, act }: Extract<Occurrence, { readonly kind: 'operator' }>): void {
    this.#draft.status = this.#draft.stuckFrom ?? 'running';
    delete this.#draft.stuck;
    if (key === undefined) return;
    switch (act.kind) {
      case 'retry':
        return this.#change(key, (one) => ({
          ...one,
          generation: one.generation + 1,
          failures: 0,
          lost: 0,
          status: 'due',
        }));
      case 'skip':
        return this.#begin(key, 'command', { status: 'completed', result: null, skipped: act.reason });
      case 'resolve':
        return this.#complete(key, act.result);
      default:
        act satisfies never;
    }
  }

  #compensate(failure: Failure): void {
    this.#draft.status = 'compensating';
    this.#draft.failure = failure;
    delete this.#draft.stuck;
  }

  #evolveEffect(key: string, outcome: 'completed' | 'failed', data: unknown): void {
    const { kind = 'command', name } = this.#draft.effects.get(key) ?? {};
    this.#evolve({ type: `${kind === 'activity' ? name : kind}.${outcome}`, key, data, at: this.#now });
  }

  #evolve(event: AnySagaEvent): void {
    const draft = this.#draft;
    const saga = versionOf(this.#saga, draft.version);
    if (saga === undefined || draft.broken !== undefined) return;
    try {
      const next = saga.evolve(draft.state, event);
      if (next === undefined || next instanceof Promise)
        throw new TypeError(`it returned ${next === undefined ? 'undefined' : 'a promise'}`);
      draft.state = next;
    } catch (error) {
      // Nothing that is to be undone depends on the state.
      if (draft.status !== 'running') return;
      draft.broken = { code: 'evolve_failed', message: `evolve failed at ${event.type}: ${describe(error)}` };
    }
  }
}
