/** Engines for the tests of sagas: closed when a test ends, with a clock that is moved by hand, and ears for what is told. */
import { openEngine } from '../../src/index.ts';
import type { Backend, Engine, EngineOptions, EventMetadata, SagaNotice } from '../../src/index.ts';
import type { Step } from '../../src/saga/step.ts';
import { TestClock } from '../../src/testing/index.ts';
import { order } from './fulfilment.ts';

export const hourMs = 3_600_000;

/** What the cases of all backends are given: opens one on a store of this backend. */
export type NewStore = () => Backend;

const opened: Engine[] = [];

/** To be called after each test. */
export async function closeAll(): Promise<void> {
  await Promise.all(opened.splice(0).map((engine) => engine.close()));
}

export interface Opened {
  readonly engine: Engine;
  readonly clock: TestClock;
  readonly told: readonly SagaNotice[];
  /** Waits until all rests, moves the clock, and waits until what was due then is done. */
  passes(ms: number): Promise<void>;
}

export async function open(
  store: EngineOptions['store'],
  { clock = new TestClock(), ...options }: Partial<EngineOptions> & { readonly clock?: TestClock } = {},
): Promise<Opened> {
  const told: SagaNotice[] = [];
  const engine = await openEngine({
    store,
    clock,
    aggregates: [order],
    limits: { streams: Infinity },
    hooks: { saga: (notice) => void told.push(notice), consumer: () => {} },
    ...options,
  });
  opened.push(engine);
  const passes = async (ms: number) => {
    await engine.settled();
    clock.advance(ms);
    await engine.settled();
  };
  return { engine, clock, told, passes };
}

export interface PlacedEvent {
  readonly type: string;
  readonly data: unknown;
  readonly metadata: EventMetadata;
  readonly position: number;
  readonly id: string;
}

/** All events of a stream. */
export async function eventsOf({ log }: Engine, stream: string): Promise<readonly PlacedEvent[]> {
  const events: PlacedEvent[] = [];
  for await (const page of log.read({ stream })) events.push(...page);
  return events;
}

/** What happened to an order, in order. */
export async function orderEvents(engine: Engine, id: string): Promise<readonly string[]> {
  return (await eventsOf(engine, `order-${id}`)).map(({ type }) => type);
}

/** What was recorded of an instance. */
export async function stepsOf(
  engine: Engine,
  stream: string,
): Promise<readonly (Step & { readonly metadata: EventMetadata })[]> {
  return (await eventsOf(engine, stream)).map(({ data, metadata }) => ({ ...(data as Step), metadata }));
}

/** Appends events that nobody's command led to. */
export async function happens(engine: Engine, type: string, data: unknown, stream = 'shop-1'): Promise<void> {
  const result = await engine.log.append([{ stream, events: [{ type, data }] }]);
  if (result.kind !== 'appended') throw new Error(result.kind);
}
