/** An instance of a saga is a fold of its own stream: it is loaded, replayed and looked back at as any aggregate. */
import { expect, test } from 'vitest';
import { z } from 'zod';
import { activity, defineSaga, memory, openEngine, steps, waitFor } from '../../src/index.ts';

const book = activity({
  name: 'book',
  input: z.object({ room: z.string() }),
  output: z.object({ booking: z.string() }),
});
const trip = defineSaga({
  name: 'trip',
  input: z.object({ room: z.string() }),
  events: { Confirmed: z.object({ by: z.string() }) },
  activities: { book },
  initialState: { room: '', booking: '', by: '' },
  evolve: (state, event) => {
    switch (event.type) {
      case 'started':
        return { ...state, room: event.data.room };
      case 'book.completed':
        return { ...state, booking: event.data.booking };
      case 'Confirmed':
        return { ...state, by: event.data.by };
      default:
        return state;
    }
  },
  next: steps([({ room }) => book('book', { room }), () => waitFor('confirmed', 'Confirmed', { timeoutMs: 60_000 })], {
    result: ({ booking }) => ({ booking }),
  }),
});

async function travelled() {
  const engine = await openEngine({
    store: memory(),
    sagas: [trip],
    activities: [book.implement(({ room }) => ({ booking: `b-${room}` }))],
  });
  // Whoever works on it is there before it begins: then the first step holds what followed.
  await engine.settled();
  const instance = await engine.start(trip, 't-1', { room: '12' });
  await engine.settled();
  await instance.signal('Confirmed', { by: 'ada' }, { actor: 'ada' });
  await instance.result();
  return { engine, instance };
}

test('it is loaded as of any version, as its handle says', async () => {
  const { engine, instance } = await travelled();
  await using open = engine;
  expect(open.sagas.names).toEqual(['trip']);
  const { state, version } = await engine.load(trip.instances, 't-1');
  expect(state).toEqual(await instance.state());
  expect(state).toMatchObject({ status: 'completed', result: { booking: 'b-12' }, state: { by: 'ada' } });
  for (let at = 1; at <= version; at++) {
    const past = await engine.load(trip.instances, 't-1', { at: { version: at } });
    expect(past.state).toEqual(await instance.state({ at: { version: at } }));
    expect(past.state?.streamVersion).toBe(at);
  }
  const first = await instance.state({ at: { version: 1 } });
  expect(first).toMatchObject({ status: 'running', effects: { book: { status: 'attempting', attempt: 1 } } });
  expect((await engine.load(trip.instances, 'never')).state).toBeNull();
});

test('it is replayed, step by step, and a jump back gives the same again', async () => {
  const { engine, instance } = await travelled();
  await using open = engine;
  expect(open.sagas.names).toEqual(['trip']);
  const seen: (string | undefined)[] = [];
  const replay = engine.replay({ aggregate: trip.instances, id: 't-1' });
  for await (const { state, event } of replay) {
    seen.push(`${event.version} ${state?.status}`);
    if (seen.length === 2) replay.seek({ version: 0 });
    if (seen.length > 2 && seen.length === 2 + (await instance.state()).streamVersion) break;
  }
  const { streamVersion } = await instance.state();
  expect(seen.slice(2)).toEqual(
    Array.from({ length: streamVersion }, (_, index) => expect.stringContaining(`${index + 1} `)),
  );
  expect(seen.at(-1)).toBe(`${streamVersion} completed`);
});

test('what each step changed is told, and who brought it about', async () => {
  const { engine } = await travelled();
  await using open = engine;
  expect(open.sagas.names).toEqual(['trip']);
  const changes: string[] = [];
  for await (const step of engine.past.history(trip.instances, 't-1'))
    changes.push(...step.changes.map(({ path }) => path));
  expect(changes).toContain('effects.book.status');
  expect(changes).toContain('state.by');
  const acts: unknown[] = [];
  for await (const events of engine.log.read({ stream: 'trip-t-1' }))
    acts.push(...events.filter(({ metadata }) => metadata.actor === 'ada').map(({ data }) => data));
  expect(acts).toMatchObject([{ on: { kind: 'signal', type: 'Confirmed', data: { by: 'ada' } } }]);
});
