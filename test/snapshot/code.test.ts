/** Whose snapshots are believed: by the states that code makes of a sample of streams. */
import { expect, test } from 'vitest';
import { z } from 'zod';
import { defineAggregate, memory, openEngine } from '../../src/index.ts';
import type { Backend, Document, Engine, Json, SnapshotNotice } from '../../src/index.ts';
import { shared } from '../support/gated-store.ts';
import { guarded } from '../support/guarded-state.ts';
import { withState } from '../support/place.ts';
import { forge } from './wallet.ts';

/** An aggregate whose state is a sum, to which each letter adds what it is worth: 1, if nothing else is said. */
function defineTally(worth: Readonly<Record<string, number>> = {}, policy: { readonly snapshotsKept?: number } = {}) {
  const event = z.object({});
  const worthOf = (letter: string) => (state: { readonly sum: number }) => ({ sum: state.sum + (worth[letter] ?? 1) });
  return defineAggregate({
    name: 'tally',
    snapshotEvery: 5,
    ...policy,
    events: { A: event, B: event, C: event, D: event },
    initialState: { sum: 0 },
    evolve: { A: worthOf('A'), B: worthOf('B'), C: worthOf('C'), D: worthOf('D') },
    commands: {
      add: {
        input: z.string(),
        decide: (_state, letters) => [...letters].map((type) => ({ type: type as 'A' | 'B' | 'C' | 'D', data: {} })),
      },
    },
  });
}

type Tally = ReturnType<typeof defineTally>;

function openTally(store: Backend, tally: Tally, notices: SnapshotNotice[] = []): Promise<Engine> {
  const hooks = { snapshot: (notice: SnapshotNotice) => void notices.push(notice) };
  return openEngine({ store, aggregates: [tally], hooks, snapshotSampleMs: Infinity });
}

/** Appends letters to one stream after another, and waits for the snapshots of each. */
async function add(engine: Engine, tally: Tally, streams: Readonly<Record<string, string>>): Promise<void> {
  for (const [id, letters] of Object.entries(streams)) {
    await engine.execute(tally.commands.add(id, letters));
    await engine.snapshots.settled();
  }
}

/** What code makes of streams that has forgotten to say that it is another one. */
async function expectChangeSeen(store: Backend, after: Tally, ids: readonly string[]): Promise<void> {
  const notices: SnapshotNotice[] = [];
  await using engine = await openTally(store, after, notices);
  for (const id of ids) expect(await engine.load(after, id)).toEqual(await engine.load(after, id, { mode: 'full' }));
  expect(notices.filter(({ kind }) => kind === 'code_changed')).toHaveLength(1);
}

test('each type of event is in a sample, however many streams are written at once', async () => {
  const store = shared(memory());
  const tally = defineTally();
  {
    await using engine = await openTally(store, tally);
    await Promise.all([...'ABCD'].map((letter) => engine.execute(tally.commands.add(letter, letter.repeat(5)))));
  }
  await expectChangeSeen(store, defineTally({ D: 100 }), ['A', 'B', 'C', 'D']);
});

test('what came before a snapshot that was not written, as a later one was, is in a sample', async () => {
  const store = shared(memory());
  const tally = defineTally();
  {
    await using engine = await openTally(store, tally);
    await add(engine, tally, { one: 'AAAAA', other: 'AAAAA', third: 'BAAAAAAAAA' });
    expect(await engine.snapshots.list(tally, 'third')).toMatchObject([{ version: 10 }]);
  }
  await expectChangeSeen(store, defineTally({ B: 100 }), ['one', 'other', 'third']);
});

test('what came before a snapshot that could not be written is in a sample of the next one', async () => {
  const store = shared(memory());
  const tally = defineTally();
  let fails = false;
  const failing: Backend = {
    ...store,
    openState: async (events, options) => {
      const state = await store.openState?.(events, options);
      if (state === undefined) throw new Error('it keeps documents');
      return new Proxy(state, {
        get(target, name) {
          if (name === 'commit' && fails) return () => Promise.reject(new Error('no room'));
          const value: unknown = Reflect.get(target, name, target);
          return typeof value === 'function' ? (value.bind(target) as unknown) : value;
        },
      });
    },
  };
  {
    const notices: SnapshotNotice[] = [];
    await using engine = await openTally(failing, tally, notices);
    await add(engine, tally, { one: 'AAAAA', other: 'AAAAA' });
    fails = true;
    await engine.execute(tally.commands.add('third', 'BAAAA'));
    await expect.poll(() => notices.some(({ kind }) => kind === 'failed')).toBe(true);
    fails = false;
    await add(engine, tally, { third: 'AAAAA' });
  }
  await expectChangeSeen(store, defineTally({ B: 100 }), ['one', 'other', 'third']);
});

test('streams that never grow keep no type of event from being sampled', async () => {
  const store = shared(memory());
  const tally = defineTally();
  {
    await using engine = await openTally(store, tally);
    await Promise.all(Array.from({ length: 1_500 }, (_, id) => engine.log.append([shortStream(id)])));
    for (let id = 0; id < 1_500; id++) await engine.load(tally, `short-${id}`);
    await add(engine, tally, { one: 'AAAAA', other: 'BAAAA' });
  }
  await expectChangeSeen(store, defineTally({ B: 100 }), ['one', 'other']);
});

function shortStream(id: number) {
  return { stream: `tally-short-${id}`, expected: 'any', events: [{ type: 'A', data: {} }] } as const;
}

test('code is known by a beginning of a stream that is too long', async () => {
  const store = shared(memory());
  const tally = defineTally();
  {
    await using engine = await openTally(store, tally);
    const events = Array.from({ length: 1_000 }, () => ({ type: 'A', data: {} }));
    for (let part = 0; part < 21; part++) await engine.log.append([{ stream: 'tally-long', expected: 'any', events }]);
    await engine.load(tally, 'long');
    await engine.snapshots.settled();
    await add(engine, tally, { short: 'BAAAA' });
  }
  await withState(store, async (state) => {
    const [document] = await state.get('snapshot/codes', ['tally']);
    const { codes } = (document as Document).value as unknown as {
      codes: { sample: { stream: string; version: number }[] }[];
    };
    expect(codes[0]?.sample).toMatchObject([
      { stream: 'tally-long', version: 10_000 },
      { stream: 'tally-short', version: 5 },
    ]);
  });
  await expectChangeSeen(store, defineTally({ B: 100 }), ['long', 'short']);
});

test('a sample of a history that is not there says nothing about the code, and its snapshots are not used', async () => {
  const tally = defineTally();
  const [store, other] = [shared(memory()), shared(memory())];
  for (const [place, letters] of [
    [store, 'AAAAAAAAAA'],
    [other, 'ABA'],
  ] as const) {
    await using engine = await openTally(place, tally);
    await add(engine, tally, { one: letters });
  }
  const mixed = { ...other, openState: store.openState } as Backend;
  const notices: SnapshotNotice[] = [];
  await using engine = await openTally(mixed, tally, notices);
  expect(await engine.load(tally, 'one')).toMatchObject({ version: 3, state: { sum: 3 } });
  expect((await engine.snapshots.list(tally, 'one')).map(({ usable }) => usable)).toEqual([false]);
  expect(notices).toEqual([]);
});

test('code whose snapshots turned out to be others is not believed later either, by whomever', async () => {
  const store = shared(memory());
  const tally = defineTally();
  {
    await using engine = await openTally(store, tally);
    await add(engine, tally, { one: 'AAAAA', other: 'AAAAA', third: 'AAAAA', fourth: 'AAAAA' });
  }
  for (const id of ['third', 'fourth']) await withState(store, (state) => forge(state, 5, `tally-${id}`));
  {
    await using engine = await openTally(store, tally);
    expect((await engine.snapshots.verify({ aggregate: tally, id: 'third' })).faults).toHaveLength(1);
    await add(engine, tally, { fifth: 'AAAAA' });
  }
  {
    await using engine = await openTally(store, tally);
    expect((await engine.load(tally, 'fourth')).state.sum).toBe(5);
    await add(engine, tally, { third: 'AAAAA' });
  }
  await withState(store, async (state) => {
    const [document] = await state.get('snapshot/codes', ['tally']);
    const { codes } = (document as Document).value as unknown as { codes: { sample: readonly Json[] }[] };
    expect(codes.map(({ sample }) => sample[0])).toMatchObject([{ stream: 'tally-third', version: 5, types: [] }]);
  });
  // The code that made the other states does not take itself for the one that found that out.
  const forger = defineTally({ A: 155 });
  await using engine = await openTally(store, forger);
  expect((await engine.load(forger, 'third')).state.sum).toBe(10 * 155);
});

const damages: Readonly<Record<string, (sample: readonly Readonly<Record<string, Json>>[]) => Json>> = {
  'no object': () => [null],
  'no version': (sample) => sample.map((one) => ({ ...one, version: 'x' })),
  'no types': (sample) => sample.map((one) => ({ ...one, types: 'A' })),
};

test.each(Object.entries(damages))(
  'a sample with %s in it is no sample: snapshots begin anew',
  async (_what, damage) => {
    const store = shared(memory());
    const tally = defineTally();
    {
      await using engine = await openTally(store, tally);
      await add(engine, tally, { one: 'AAAAA' });
    }
    await withState(store, async (state) => {
      const [document] = await state.get('snapshot/codes', ['tally']);
      const { codes } = (document as Document).value as unknown as {
        codes: { sample: Readonly<Record<string, Json>>[] }[];
      };
      const value = { codes: codes.map((code) => ({ ...code, sample: damage(code.sample) })) } as Json;
      await state.commit({ puts: [{ collection: 'snapshot/codes', key: 'tally', value }] });
    });
    const notices: SnapshotNotice[] = [];
    await using engine = await openTally(store, tally, notices);
    expect((await engine.load(tally, 'one')).state.sum).toBe(5);
    await add(engine, tally, { one: 'BBBBB' });
    expect((await engine.snapshots.list(tally, 'one'))[0]).toMatchObject({ version: 10, usable: true });
    expect(notices.filter(({ kind }) => kind !== 'written')).toEqual([]);
  },
);

test('code that a later sample tells apart uses none of the snapshots from then on, though it has been opened before', async () => {
  const store = shared(memory());
  const [older, newer] = [defineTally(), defineTally({ B: 100 })];
  {
    await using engine = await openTally(store, older);
    await add(engine, older, { one: 'AAAAA', other: 'AAAAA' });
  }
  await using old = await openTally(store, older);
  await using recent = await openTally(store, newer);
  await old.load(older, 'one');
  await add(recent, newer, { third: 'BAAAA' });
  expect((await old.load(older, 'third')).state.sum).toBe(5);
  await add(old, older, { fourth: 'BAAAA' });
  expect((await recent.load(newer, 'fourth')).state.sum).toBe(104);
  // Each goes on with its own.
  await using alsoOld = await openTally(store, older);
  expect((await alsoOld.load(older, 'third')).state.sum).toBe(5);
  expect((await alsoOld.load(older, 'fourth')).state.sum).toBe(5);
  expect((await alsoOld.snapshots.list(older, 'fourth'))[0]).toMatchObject({ version: 5, usable: true });
});

test('where samples of a code were lost, what was written when there were more is not used', async () => {
  const store = shared(memory());
  const [before, after] = [defineTally(), defineTally({ B: 100 })];
  {
    await using engine = await openTally(store, before);
    await add(engine, before, { one: 'AAAAA', other: 'BAAAA' });
  }
  await withState(store, async (state) => {
    const [document] = await state.get('snapshot/codes', ['tally']);
    const { codes } = (document as Document).value as unknown as { codes: { sample: readonly Json[] }[] };
    const value = { codes: codes.map((code) => ({ ...code, sample: code.sample.slice(0, 1) })) } as Json;
    await state.commit({ puts: [{ collection: 'snapshot/codes', key: 'tally', value }] });
  });
  await using engine = await openTally(store, after);
  expect((await engine.load(after, 'other')).state.sum).toBe(104);
  expect(await engine.snapshots.list(after, 'one')).toMatchObject([{ version: 5, usable: true }]);
});

test('a type of event is in two samples, and in no more', async () => {
  const store = shared(memory());
  const tally = defineTally();
  {
    await using engine = await openTally(store, tally);
    await add(engine, tally, { one: 'AAAAA', other: 'AAAAA', third: 'AAAAA', fourth: 'BAAAA' });
  }
  await withState(store, async (state) => {
    const [document] = await state.get('snapshot/codes', ['tally']);
    const { codes } = (document as Document).value as unknown as { codes: { sample: readonly { stream: string }[] }[] };
    const sampled = codes.map(({ sample }) => sample.map(({ stream }) => stream));
    expect(sampled).toEqual([['tally-one', 'tally-other', 'tally-fourth']]);
  });
});

/** The store, and something that is done between what somebody has read there and what it then writes. */
function interrupted(store: Backend) {
  let act: (() => Promise<void>) | undefined;
  const between = guarded(store, async (call, name) => {
    const now = name === 'commit' ? act : undefined;
    if (now !== undefined) act = undefined;
    await now?.();
    return call();
  });
  return { between, meanwhile: (work: () => Promise<void>) => void (act = work) };
}

test('two that write snapshots of one stream at once do not lose those of each other', async () => {
  const store = shared(memory());
  const tally = defineTally();
  const { between, meanwhile } = interrupted(store);
  await using one = await openTally(between, tally);
  await add(one, tally, { sampled: 'AAAAA', too: 'AAAAA' });
  await one.log.append([
    { stream: 'tally-x', expected: 'any', events: [...'AAAAAAAA'].map((type) => ({ type, data: {} })) },
  ]);
  await using other = await openTally(store, tally);
  meanwhile(async () => {
    await other.load(tally, 'x', { at: { version: 5 } });
    await other.snapshots.settled();
  });
  await one.snapshots.take(tally, 'x');
  expect((await one.snapshots.list(tally, 'x')).map(({ version, usable }) => [version, usable])).toEqual([
    [8, true],
    [5, true],
  ]);
});

test('two that begin to write snapshots at once know that they are one code', async () => {
  const store = shared(memory());
  const tally = defineTally();
  const { between, meanwhile } = interrupted(store);
  await using one = await openTally(between, tally);
  await using other = await openTally(store, tally);
  meanwhile(() => add(other, tally, { second: 'AAAAA' }));
  await add(one, tally, { first: 'AAAAA' });
  await using third = await openTally(store, tally);
  for (const id of ['first', 'second'])
    expect(await third.snapshots.list(tally, id)).toMatchObject([{ version: 5, usable: true }]);
});

test('a code that begins under way samples also what came before it', async () => {
  const store = shared(memory());
  const tally = defineTally();
  {
    await using engine = await openTally(store, tally);
    await add(engine, tally, { one: 'AAAAA', other: 'AAAAA', early: 'BAA' });
    await withState(store, (state) =>
      state.commit({ deletes: [{ collection: 'snapshot/codes', key: 'tally' }] }).then(() => undefined),
    );
    // Here it is found out that nobody knows its code any more.
    await add(engine, tally, { third: 'CAAAA', fourth: 'AAAAA', fifth: 'AAAAA', early: 'AA' });
    expect((await engine.snapshots.list(tally, 'early'))[0]).toMatchObject({ version: 5, usable: true });
  }
  await expectChangeSeen(store, defineTally({ B: 100 }), ['early', 'one', 'third']);
});

test('who may not write down which code was found out still does not believe it', async () => {
  const store = shared(memory());
  const tally = defineTally();
  {
    await using engine = await openTally(store, tally);
    await add(engine, tally, { one: 'AAAAA', other: 'AAAAA', third: 'AAAAA', fourth: 'AAAAA' });
  }
  for (const id of ['third', 'fourth']) await withState(store, (state) => forge(state, 5, `tally-${id}`));
  const options = { store, aggregates: [tally], hooks: { snapshot: () => {} }, snapshotSampleMs: Infinity };
  await using engine = await openEngine({ ...options, snapshots: false });
  expect((await engine.snapshots.verify({ aggregate: tally, id: 'third' })).faults).toHaveLength(1);
  expect((await engine.load(tally, 'fourth')).state.sum).toBe(5);
});
