/** Given events, then this view: on the real engine, with a clock that stands still. */
import { deepStrictEqual } from 'node:assert';
import type { EventSchemas, UntypedEvent } from '../event/codec.ts';
import type { SchemaInput } from '../event/standard-schema.ts';
import { openEngine } from '../engine/engine.ts';
import type { Projection, ViewDocument } from '../projection/projection.ts';
import type { EventSource, TypeOf } from '../projection/source.ts';
import { memory } from '../store/memory.ts';
import { TestClock } from './test-clock.ts';

type InputAt<Schemas, Type extends string> = Schemas extends EventSchemas
  ? Type extends keyof Schemas
    ? SchemaInput<Schemas[Type]>
    : never
  : never;

/** An event that has happened in one of the streams that a projection is from. */
export type ViewEvent<From extends readonly EventSource[]> = {
  /** `<aggregate>-<id>`, for example `account.stream('1')`. */
  readonly stream: string;
  readonly tags?: readonly string[];
  readonly metadata?: Readonly<Record<string, string>>;
  /** In ms since the epoch; not before that of the event before. Default: the clock's time at the start. */
  readonly recordedAt?: number;
} & (
  | {
      readonly [Type in TypeOf<From>]: { readonly type: Type; readonly data: InputAt<From[number]['events'], Type> };
    }[TypeOf<From>]
  | { readonly type: '$deleted'; readonly data?: unknown }
);

/** What a projection makes of events. */
export interface ThenView<Document> {
  /** These documents, by key, and no others. Fails with an AssertionError that shows both. */
  thenView(expected: Readonly<Record<string, Document>>): Promise<void>;
}

export function viewScenario<Document, From extends readonly EventSource[]>(
  projection: Projection<string, Document, From>,
  history: readonly ViewEvent<From>[],
  clock: TestClock = new TestClock(),
): ThenView<Document> {
  return {
    thenView: async (expected) => {
      await using engine = await openEngine({ store: memory(), clock, projections: [projection] });
      for (const event of history as readonly GivenViewEvent[]) {
        if (event.recordedAt !== undefined) clock.advance(event.recordedAt - clock.now());
        const { stream, recordedAt: _, ...given } = event;
        const schemas = Object.assign({}, ...projection.interest.from.map(({ events }) => events)) as EventSchemas;
        const draft = await engine.log.encoderOf(schemas).encode(given);
        const writes = [{ stream, expected: 'any' as const, events: [draft] }];
        await engine.log.commit({ writes, checks: [], conditions: [], receipts: [] });
      }
      await engine.settled({ timeoutMs: Infinity });
      const found: Record<string, ViewDocument> = {};
      const view = engine.view(projection);
      for (let after: string | undefined; ;) {
        const page = await view.findPage({ limit: 1_000, ...(after !== undefined && { after }) });
        for (const { key, document } of page.documents) found[key] = document as ViewDocument;
        after = page.next;
        if (after === undefined) break;
      }
      deepStrictEqual(found, expected);
    },
  };
}

type GivenViewEvent = UntypedEvent & { readonly stream: string; readonly recordedAt?: number };
