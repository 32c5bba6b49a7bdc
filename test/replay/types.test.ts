/** What of a replay and of a comparison is inferred, and what does not compile. */
import { expectTypeOf, test } from 'vitest';
import { z } from 'zod';
import { defineAggregate, defineProjection } from '../../src/index.ts';
import type { Engine, InferState, RecordedEvent } from '../../src/index.ts';
import { account } from '../command/account.ts';

const shop = defineAggregate({
  name: 'shop',
  events: { Opened: z.object({ town: z.string() }), Sold: z.object({ price: z.number() }) },
  initialState: { sales: 0 },
  evolve: { Opened: (state) => state, Sold: ({ sales }, { data }) => ({ sales: sales + data.price }) },
  commands: {},
});
const totals = defineProjection({
  name: 'totals',
  from: [shop, account],
  key: ({ aggregateId }) => aggregateId,
  initial: { total: 0 },
  on: {
    Opened: 'ignore',
    Sold: ({ total }, { data }) => ({ total: total + data.price }),
    AccountOpened: 'ignore',
    MoneyDeposited: 'ignore',
    MoneyWithdrawn: 'ignore',
  },
});

interface Total {
  total: number;
}

test('a replay knows its states, documents and events', () => {
  const watch = async ({ replay }: Engine) => {
    for await (const { event, state, before } of replay({ aggregate: shop, id: '1' })) {
      expectTypeOf(state).toEqualTypeOf<{ sales: number }>();
      expectTypeOf(before).toEqualTypeOf<{ sales: number }>();
      if (event.type === 'Sold') expectTypeOf(event.data).toEqualTypeOf<{ price: number }>();
      expectTypeOf(event.type).toEqualTypeOf<'Opened' | 'Sold' | '$deleted'>();
    }
    const { state, version, events } = await replay({ aggregate: shop, id: '1' }, { mode: 'from_snapshot' }).run();
    expectTypeOf(state).toEqualTypeOf<InferState<typeof shop>>();
    expectTypeOf(version + events).toEqualTypeOf<number>();
    const { states } = await replay({ aggregate: shop }).run();
    expectTypeOf(states.get('shop-1')?.state).toEqualTypeOf<{ sales: number } | undefined>();
    for await (const { event, documents } of replay({ projection: totals })) {
      expectTypeOf(documents[0]?.after).toEqualTypeOf<Total | undefined>();
      if (event.type === 'Sold') expectTypeOf(event.data).toEqualTypeOf<{ price: number }>();
      if (event.type === 'MoneyDeposited') expectTypeOf(event.data).toEqualTypeOf<{ amount: number }>();
    }
    for await (const { document } of replay({ projection: totals, key: '1' }))
      expectTypeOf(document).toEqualTypeOf<Total | undefined>();
    expectTypeOf((await replay({ projection: totals }).run()).documents).toEqualTypeOf<ReadonlyMap<string, Total>>();
    const lengths = {
      initial: () => [0],
      evolve: (list: number[], { position }: RecordedEvent) => [...list, position],
    };
    for await (const frame of replay({ fold: lengths })) expectTypeOf(frame.state).toEqualTypeOf<number[]>();
    const inline = await replay({ fold: { initial: () => new Map<string, number>(), evolve: (map) => map } }).run();
    expectTypeOf(inline.state).toEqualTypeOf<Map<string, number>>();
    for await (const frame of replay()) expectTypeOf(frame.event).toEqualTypeOf<RecordedEvent>();
    const where = (event: { readonly type: 'Opened' | 'Sold' | '$deleted' }) => event.type === 'Sold';
    replay({ aggregate: shop }, { mode: 'selective', select: { types: ['Sold', '$deleted'], where } });
    replay(
      { aggregate: shop },
      { mode: 'selective', select: { where: (event) => event.type === 'Opened' && event.data.town === '' } },
    );
    replay({ aggregate: shop }, { speed: 10, timeOf: (event) => (event.type === 'Sold' ? event.data.price : 0) });
  };
  const misuse = async ({ replay }: Engine) => {
    // @ts-expect-error no such type
    replay({ aggregate: shop }, { mode: 'selective', select: { types: ['Slod'] } });
    // @ts-expect-error no moment
    replay({ aggregate: shop }, { mode: 'time_travel' });
    // @ts-expect-error a full replay has none
    replay({ aggregate: shop }, { at: { position: 1 } });
    // @ts-expect-error there are snapshots of one instance only
    replay({ aggregate: shop }, { mode: 'from_snapshot' });
    // @ts-expect-error a state of another kind
    replay({ fold: { initial: () => 0, evolve: (count: number) => `${count}` } });
    // @ts-expect-error a misspelt subject
    replay({ agregate: shop });
  };
  expectTypeOf(watch).toBeFunction();
  expectTypeOf(misuse).toBeFunction();
});

test('so does a comparison', () => {
  const changed = defineAggregate({
    name: 'shop',
    events: { Opened: z.object({ town: z.string() }), Sold: z.object({ price: z.number() }) },
    initialState: { count: 0 },
    evolve: { Opened: (state) => state, Sold: ({ count }) => ({ count: count + 1 }) },
    commands: {},
  });
  const look = async ({ past }: Engine) => {
    for await (const { event, after } of past.history(shop, '1')) {
      expectTypeOf(after).toEqualTypeOf<{ sales: number }>();
      if (event.type === 'Opened') expectTypeOf(event.data).toEqualTypeOf<{ town: string }>();
    }
    const diff = await past.diff({ aggregate: shop, id: '1' }, { from: { version: 1 } });
    expectTypeOf(diff.before).toEqualTypeOf<{ sales: number }>();
    const document = await past.diff({ projection: totals, key: '1' }, { from: { time: 0 } });
    expectTypeOf(document.after).toEqualTypeOf<Total | undefined>();
    const cause = await past.why({ aggregate: shop, id: '1' }, 'sales');
    expectTypeOf(cause?.event.type).toEqualTypeOf<'Opened' | 'Sold' | '$deleted' | undefined>();
    const without = await past.whatIf(
      { aggregate: shop, id: '1' },
      { without: [{ version: 1 }], add: [{ type: 'Sold', data: { price: 1 }, after: { version: 3 } }] },
    );
    expectTypeOf(without.hypothetical).toEqualTypeOf<{ sales: number }>();
    const other = await past.whatIf({ aggregate: shop, id: '1' }, { aggregate: changed });
    expectTypeOf(other.actual).toEqualTypeOf<{ sales: number }>();
    expectTypeOf(other.hypothetical).toEqualTypeOf<{ count: number }>();
    const rows = await past.whatIf(
      { projection: totals },
      { add: [{ stream: 'shop-1', type: 'Sold', data: { price: 2 } }] },
    );
    expectTypeOf(rows.differences[0]?.actual).toEqualTypeOf<Total | undefined>();
    const view = await past.view(totals, { position: 1 });
    expectTypeOf(await view.findMany({ where: { total: { gt: 1 } } })).toEqualTypeOf<readonly Total[]>();
  };
  const misuse = async ({ past }: Engine) => {
    // @ts-expect-error no such field
    await past.whatIf({ aggregate: shop, id: '1' }, { add: [{ type: 'Sold', data: { prise: 1 } }] });
    // @ts-expect-error no such type
    await past.whatIf({ aggregate: shop, id: '1' }, { add: [{ type: 'Slod', data: { price: 1 } }] });
    // @ts-expect-error no stream
    await past.whatIf({ projection: totals }, { add: [{ type: 'Sold', data: { price: 1 } }] });
    // @ts-expect-error of all documents there is no difference
    await past.diff({ projection: totals }, { from: { time: 0 } });
    // @ts-expect-error no such field
    await (await past.view(totals, { position: 1 })).findMany({ where: { sum: 1 } });
  };
  expectTypeOf(look).toBeFunction();
  expectTypeOf(misuse).toBeFunction();
});
