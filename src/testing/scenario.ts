/** Given / when / then: what a domain does, on the real engine, with a clock that stands still and ids that are known. */
import { AssertionError, deepStrictEqual } from 'node:assert';
import { inspect } from 'node:util';
import type { Aggregate, AggregateTypes, AnyAggregate } from '../command/aggregate.ts';
import type { Accepted, AggregateCommand, Command, CommandReceipt, DecisionCommand } from '../command/command.ts';
import type { AnyDecision, Decision, PlacedEvent } from '../command/decision.ts';
import { openEngine } from '../engine/engine.ts';
import type { Engine } from '../engine/engine.ts';
import { decodeEvent } from '../event/codec.ts';
import type { EventSchemas, NewEvent, UntypedEvent } from '../event/codec.ts';
import { streamName } from '../event/names.ts';
import { RecordedDraft } from '../event/recorded-draft.ts';
import type { AnyProjection, Projection } from '../projection/projection.ts';
import type { EventSource } from '../projection/source.ts';
import { memory } from '../store/memory.ts';
import { TestClock } from './test-clock.ts';
import { testIds } from './test-ids.ts';
import { viewScenario } from './view-scenario.ts';
import type { ThenView, ViewEvent } from './view-scenario.ts';

/** An event that has happened before the command. */
export type GivenEvent<Event> = Event & {
  /** In ms since the epoch; not before that of the event before. Default: the clock's time at the start. */
  readonly recordedAt?: number;
};

export interface ScenarioOptions {
  /** Default: one that stands still at 2026-01-01. */
  readonly clock?: TestClock;
  /** Default: `id-1`, `id-2`, and so on. */
  readonly newId?: () => string;
}

/** The command, tried on what was given. Each of these runs the scenario; all fail with an AssertionError that shows both. */
export interface Then<Expected, State> {
  /** Accepted, with these events and no others; tags are compared where they are given. */
  thenEvents(expected: readonly Expected[]): Promise<void>;
  /** Accepted, and nothing was to change. */
  thenNothing(): Promise<void>;
  thenRejected(code: string, details?: unknown): Promise<void>;
  /** The input does not match its schema. @param path of one of the issues, for example `items.0.price`. */
  thenInvalid(path?: string): Promise<void>;
  /** Accepted, and this is the aggregate's state. */
  thenState(expected: State): Promise<void>;
}

export interface Given<Cmd, Expected, State> {
  /** @param now when the command is executed, in ms since the epoch. Default: the clock's time. */
  when(command: Cmd, options?: { readonly now?: number }): Then<Expected, State>;
}

/** What has happened to the aggregate that the command is for. */
export function given<Types extends AggregateTypes>(
  aggregate: Aggregate<Types>,
  history: readonly GivenEvent<NewEvent<Types['events']>>[],
  options?: ScenarioOptions,
): Given<AggregateCommand<Types['events']>, NewEvent<Types['events']>, Types['state']>;
/** What has happened in any streams. */
export function given<Events extends EventSchemas, Input>(
  decision: Decision<Events, Input>,
  history: readonly GivenEvent<PlacedEvent<Events>>[],
  options?: ScenarioOptions,
): Given<DecisionCommand<Events, Input>, PlacedEvent<Events>, never>;
/** What has happened in the streams that the projection is from. */
export function given<Document, From extends readonly EventSource[]>(
  projection: Projection<string, Document, From>,
  history: readonly ViewEvent<From>[],
  options?: Pick<ScenarioOptions, 'clock'>,
): ThenView<Document>;
export function given(
  subject: AnyAggregate | AnyDecision | AnyProjection,
  history: readonly GivenEvent<AnyEvent>[],
  options: ScenarioOptions = {},
): Given<Command, AnyEvent, unknown> | ThenView<unknown> {
  if (subject.kind === 'projection')
    return viewScenario(subject as Projection<string, unknown>, history as never, options.clock);
  return { when: (command, { now } = {}) => new Scenario(subject, history, command, now, options) };
}

type AnyEvent = UntypedEvent & { readonly stream?: string };

class Scenario implements Then<AnyEvent, unknown> {
  readonly #subject: AnyAggregate | AnyDecision;
  readonly #history: readonly GivenEvent<AnyEvent>[];
  readonly #command: Command;
  readonly #now: number | undefined;
  readonly #options: ScenarioOptions;

  constructor(
    subject: AnyAggregate | AnyDecision,
    history: readonly GivenEvent<AnyEvent>[],
    command: Command,
    now: number | undefined,
    options: ScenarioOptions,
  ) {
    this.#subject = subject;
    this.#history = history;
    this.#command = command;
    this.#now = now;
    this.#options = options;
  }

  thenEvents(expected: readonly AnyEvent[]): Promise<void> {
    return this.#run(async (receipt, engine) => {
      const { events } = accepted(receipt, expected);
      const wanted = await Promise.all(expected.map((event) => this.#asRecorded(engine, event)));
      const found = events.map(({ stream, type, data, tags }, index) => ({
        ...this.#placed(stream),
        type,
        data,
        ...(expected[index]?.tags !== undefined && { tags }),
      }));
      deepStrictEqual(found, wanted);
    });
  }

  thenNothing(): Promise<void> {
    return this.thenEvents([]);
  }

  thenRejected(code: string, details?: unknown): Promise<void> {
    return this.#run((receipt) => {
      const wanted = details === undefined ? { code } : { code, details };
      if (receipt.kind !== 'rejected') throw differs(receipt, `rejected ${show(wanted)}`, wanted);
      deepStrictEqual(details === undefined ? { code: receipt.code } : only(receipt), wanted);
    });
  }

  thenInvalid(path?: string): Promise<void> {
    return this.#run((receipt) => {
      if (receipt.kind !== 'invalid') throw differs(receipt, 'invalid', path);
      const paths = receipt.issues.map((issue) => (issue.path ?? []).map(stepOf).join('.'));
      if (path !== undefined && !paths.includes(path)) throw differs(receipt, `invalid at ${path}`, path);
    });
  }

  thenState(expected: unknown): Promise<void> {
    return this.#run(async (receipt, engine) => {
      accepted(receipt, expected);
      const { aggregate, id } = this.#command as AggregateCommand;
      const known = this.#subject as AnyAggregate;
      if (known.name !== aggregate) throw new TypeError(`${aggregate} is not the aggregate of this scenario`);
      deepStrictEqual((await engine.load(known, id)).state, expected);
    });
  }

  async #run(check: (receipt: CommandReceipt, engine: Engine) => void | Promise<void>): Promise<void> {
    const { clock = new TestClock(), newId = testIds() } = this.#options;
    const folds = this.#subject.kind === 'aggregate' ? { aggregates: [this.#subject] } : { decisions: [this.#subject] };
    await using engine = await openEngine({ store: memory(), clock, newId, ...folds });
    for (const event of this.#history) {
      if (event.recordedAt !== undefined) clock.advance(event.recordedAt - clock.now());
      const stream = this.#streamOf(event);
      const draft = await this.#draft(engine, event);
      const write = { stream, expected: 'any', events: [draft] } as const;
      await engine.log.commit({ writes: [write], checks: [], conditions: [], receipts: [] });
    }
    if (this.#now !== undefined) clock.advance(this.#now - clock.now());
    await check(await engine.execute(this.#command), engine);
  }

  /** An event as it comes back from the store: with what its schema makes of it. */
  async #asRecorded(engine: Engine, event: AnyEvent): Promise<object> {
    const place = { stream: this.#streamOf(event), version: 1, position: 1, recordedAt: 0 };
    const { type, data, tags } = decodeEvent(new RecordedDraft(await this.#draft(engine, event), place));
    return { ...this.#placed(place.stream), type, data, ...(event.tags !== undefined && { tags }) };
  }

  async #draft(engine: Engine, { type, data, metadata, tags }: AnyEvent) {
    const optional = { ...(metadata !== undefined && { metadata }), ...(tags !== undefined && { tags }) };
    return engine.log.encoderOf(this.#subject.events).encode({ type, data, ...optional });
  }

  #streamOf({ stream }: AnyEvent): string {
    if ('decision' in this.#command) return stream as string;
    return streamName(this.#command.aggregate, this.#command.id);
  }

  /** A decision's events say where they go; an aggregate's have only one place. */
  #placed(stream: string): { readonly stream?: string } {
    return 'decision' in this.#command ? { stream } : {};
  }
}

function accepted(receipt: CommandReceipt, expected: unknown): Accepted {
  if (receipt.kind !== 'accepted') throw differs(receipt, `accepted, with ${show(expected)}`, expected);
  return receipt;
}

function differs(receipt: CommandReceipt, wanted: string, expected: unknown): AssertionError {
  const { kind, ...rest } = receipt;
  const message = `Expected the command to be ${wanted}\nbut it was ${kind} ${show(rest)}`;
  return new AssertionError({ message, actual: receipt, expected, operator: 'scenario' });
}

function only({ code, details }: { readonly code: string; readonly details?: unknown }): object {
  return { code, details };
}

function stepOf(step: PropertyKey | { readonly key: PropertyKey }): string {
  return String(typeof step === 'object' ? step.key : step);
}

function show(value: unknown): string {
  return inspect(value, { depth: 10, breakLength: 100 });
}
