/** Whoever follows a log sees every event once and in order, whatever of it, and whoever writes. */
import { memory, openEngine, openLog } from 'eventsrc';
import type { EventLog, RecordedEvent, SubscribeQuery } from 'eventsrc';
import { describe, expect, test, vi } from 'vitest';
import { runProgram } from '../support/child.ts';
import { shared } from '../support/gated-store.ts';
import { backendAt, bothPlaces, placeArguments } from '../support/place.ts';
import { postgresSchemas } from '../support/postgres-schemas.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { randomAppends } from './shelves.ts';

const perWriter = process.env.SOAK === undefined ? 250 : 20_000;
const places = bothPlaces(await temporaryFolder(), postgresSchemas());

const queries: Readonly<Record<string, SubscribeQuery>> = {
  everything: {},
  'from a position on': { after: 100 },
  'a stream': { stream: 'crate-1' },
  types: { match: [{ types: ['Cleared', 'Noted'] }] },
  tags: { match: [{ tags: ['die:2'] }], batchSize: 3 },
  'a type of a stream': { stream: 'crate-2', match: [{ types: ['Stored'] }] },
};

async function read(log: EventLog, { stream, match, after }: SubscribeQuery): Promise<readonly string[]> {
  const names: string[] = [];
  for await (const page of log.read({ stream, match, after } as SubscribeQuery)) names.push(...page.map(nameOf));
  return names;
}

function nameOf({ position, id }: RecordedEvent): string {
  return `${position} ${id}`;
}

describe.each([['memory', undefined] as const, ...places])('on %s', (_, newPlace) => {
  const newStore = () => {
    const place = newPlace?.();
    const onlyMemory = shared(memory());
    return { place, open: () => (place === undefined ? onlyMemory : backendAt(place)) };
  };

  test('followers of all kinds, while several processes write', async () => {
    const { place, open } = newStore();
    await using log = await openLog({ store: open() });
    const ending = new AbortController();
    const followed = Object.values(queries).map((query) => {
      const names: string[] = [];
      const end = (async () => {
        for await (const { events, position } of log.subscribe(query, ending.signal)) {
          expect(events.length).toBeLessThanOrEqual(10 * (query.batchSize ?? 100));
          expect(position).toBe(events.at(-1)?.position);
          names.push(...events.map(nameOf));
        }
      })();
      end.catch(() => undefined);
      return { query, names, end };
    });
    const writers = [1, 2, 3].map(async (seed) => {
      if (place === undefined) return randomAppends(log, seed)(perWriter);
      await runProgram('shelf-writer', [...placeArguments(place), String(seed), String(perWriter)]);
      return undefined;
    });
    await Promise.all(writers);
    for (const { query, names, end } of followed) {
      const wanted = await read(log, query);
      expect(wanted.length).toBeGreaterThan(20);
      await Promise.race([end, vi.waitUntil(() => names.length >= wanted.length, { timeout: 10_000 })]);
      expect(names).toEqual(wanted);
    }
    // All of them wait by now.
    ending.abort(new Error('enough'));
    for (const { end } of followed) await expect(end).rejects.toThrow('enough');
  });

  test('one that is interrupted goes on where it has said that it was', async () => {
    const { open } = newStore();
    await using engine = await openEngine({ store: open() });
    const append = randomAppends(engine.log, 3);
    const match = [{ types: ['Stored'] }];
    let dealtWith = 0;
    for (let round = 1; round <= 12; round++) {
      await append(20);
      const all = await read(engine.log, { match });
      const ending = new AbortController();
      let left = round % 4;
      // What it had in its hands when it was interrupted comes again.
      let next = dealtWith;
      for await (const { events } of engine.subscribe({ checkpoint: 'mails', match, batchSize: 4 }, ending.signal)) {
        dealtWith = next;
        const names = events.map(nameOf);
        expect(names).toEqual(all.slice(next, next + names.length));
        next += names.length;
        if (left-- === 0 || next === all.length) break;
      }
      ending.abort();
    }
    expect(dealtWith).toBeGreaterThan(50);
  });

  test('of two that follow under one name, the slower one is told', async () => {
    const { open } = newStore();
    await using engine = await openEngine({ store: open() });
    await randomAppends(engine.log, 3)(20);
    const [one, other] = [1, 2].map(() => engine.subscribe({ checkpoint: 'both', batchSize: 2 }));
    await one?.next();
    await other?.next();
    await one?.next();
    await expect(other?.next()).rejects.toMatchObject({ code: 'checkpoint_taken' });
    await one?.return(undefined);
  });
});
