import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { memory } from '../../src/store/memory.ts';
import type { Backend, EventStore } from '../../src/store/port.ts';
import type { Condition, DocumentQuery, Scalar, StateStore } from '../../src/store/state-port.ts';
import { sqlite } from '../../src/sqlite/index.ts';
import { systemClock } from '../../src/ground/clock.ts';
import { resolveLimits } from '../../src/ground/limits.ts';
import { postgres } from '../../src/postgres/index.ts';
import { postgresSchemas } from '../support/postgres-schemas.ts';
import { temporaryFolder } from '../support/temporary.ts';

const newSchema = postgresSchemas(18);
const stores: { readonly events: EventStore; readonly state: StateStore }[] = [];

beforeAll(async () => {
  const { url, schema } = newSchema();
  const backends: readonly Backend[] = [
    memory(),
    sqlite(join(await temporaryFolder(), 'store.db')),
    postgres(url, { schema }),
  ];
  for (const backend of backends) {
    const options = { clock: systemClock, limits: resolveLimits() };
    const events = await backend.openEvents(options);
    stores.push({ events, state: (await backend.openState?.(events, options)) as StateStore });
  }
});

afterAll(async () => {
  for (const { events, state } of stores) {
    await state[Symbol.asyncDispose]();
    await events[Symbol.asyncDispose]();
  }
});

const text = fc.oneof(
  fc.constantFrom(
    '',
    'a',
    'b',
    'ab',
    'B',
    'é',
    '～',
    '🎉',
    'x'.repeat(198),
    'x'.repeat(199),
    `${'x'.repeat(199)}🎉`,
    'x'.repeat(250),
  ),
  fc.string({ unit: 'binary', maxLength: 4 }).map((given) => given.replaceAll('\0', '')),
);
const scalar: fc.Arbitrary<Scalar> = fc.oneof(
  fc.constant(null),
  fc.boolean(),
  fc.constantFrom(0, -0, 1, -1, 2, 0.5, 1e21, -1e300, 5e-324),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  text,
);
const field = fc.oneof(
  scalar,
  scalar,
  fc.array(fc.oneof(scalar, fc.record({ a: scalar })), { maxLength: 3 }),
  fc.record({ deep: scalar }),
);
const document = fc.record({ a: field, b: field, c: field }, { requiredKeys: [] });
/** `a` and `b.deep` are indexed. */
const path = fc.constantFrom('a', 'b', 'b.deep', 'c');

const { condition } = fc.letrec<{ condition: Condition }>((tie) => ({
  condition: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.record({ kind: fc.constantFrom('eq', 'ne', 'gt', 'gte', 'lt', 'lte'), path, value: scalar }),
    fc.record({ kind: fc.constant('in'), path, values: fc.array(scalar, { maxLength: 3 }) }),
    fc.record({ kind: fc.constant('startsWith'), path, value: text }),
    fc.record({ kind: fc.constant('exists'), path, value: fc.boolean() }),
    fc.record({ kind: fc.constant('contains'), path, value: scalar }),
    fc.record({ kind: fc.constant('some'), path, of: tie('condition') }),
    fc.record({ kind: fc.constantFrom('all', 'any'), of: fc.array(tie('condition'), { maxLength: 3 }) }),
    fc.record({ kind: fc.constant('not'), of: tie('condition') }),
  ) as fc.Arbitrary<Condition>,
}));
const orderBy = fc.uniqueArray(fc.record({ path, direction: fc.constantFrom('asc', 'desc') }), {
  selector: (order) => order.path,
  maxLength: 3,
}) as fc.Arbitrary<DocumentQuery['orderBy']>;

/** All pages, as the keys on each. */
async function pages(store: StateStore, query: DocumentQuery): Promise<readonly (readonly string[])[]> {
  const found: string[][] = [];
  for (let after: string | undefined; found.length < 30;) {
    const page = await store.find('c', { ...query, ...(after !== undefined && { after }) });
    found.push(page.documents.map(({ key }) => key));
    after = page.next;
    if (after === undefined) break;
  }
  return found;
}

test('every backend answers every query of any documents alike', async () => {
  const queries = fc.array(fc.record({ where: condition, orderBy, limit: fc.integer({ min: 1, max: 8 }) }), {
    minLength: 1,
    maxLength: 12,
  });
  await fc.assert(
    fc.asyncProperty(fc.array(document, { maxLength: 20 }), queries, async (documents, asked) => {
      for (const { state } of stores) {
        await state.drop('c');
        await state.define({ name: 'c', indexes: [['a', 'b.deep'], ['b.deep']] });
        const puts = documents.map((value, index) => ({ collection: 'c', key: `${index % 7}🎉${index}`, value }));
        expect(await state.commit({ puts })).toBe('committed');
      }
      const [model, ...others] = stores;
      for (const query of asked) {
        const expected = await pages((model as (typeof stores)[0]).state, query);
        const count = expected.flat().length;
        for (const { state } of others) {
          expect(await pages(state, query)).toEqual(expected);
          expect((await state.count('c', query.where)).count).toBe(count);
        }
      }
    }),
    { numRuns: process.env['SOAK'] === '1' ? 5_000 : 100 },
  );
});
