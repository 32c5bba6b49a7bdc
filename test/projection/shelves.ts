/**
 * What the campaigns of the read side fold: crates that stand on several shelves at once. A document lists the positions that were folded
 * into it, so that what was left out, repeated or reordered is seen; a cleared shelf is deleted, and made again by the next crate.
 */
import { defineAggregate, defineProjection } from 'eventsrc';
import type { AnyProjection, Engine, EventLog, Projection, StateStore } from 'eventsrc';
import { z } from 'zod';
import { seededRandom } from '../support/random.ts';
import { slotOf } from '../../src/projection/consumer.ts';

export const crate = defineAggregate({
  name: 'crate',
  events: {
    Stored: z.object({ shelves: z.array(z.string()), amount: z.number() }),
    Cleared: z.object({ shelf: z.string() }),
    Noted: z.object({}),
  },
  initialState: {},
  evolve: { Stored: (state) => state, Cleared: (state) => state, Noted: (state) => state },
  commands: {},
});

export interface Shelf {
  readonly positions: readonly number[];
  readonly total: number;
  /** Who put it there, where a program writes that into it. */
  readonly by: string;
}

export type Shelves = Projection<string, Shelf>;

export interface ShelvesOptions {
  readonly name?: string;
  readonly version?: number;
  readonly slots?: number;
}

const empty: Shelf = { positions: [], total: 0, by: '' };

/** The second version counts every amount twice. */
export function defineShelves({ name = 'shelves', version = 1, slots = 1 }: ShelvesOptions = {}): Shelves {
  return defineProjection({
    name,
    version,
    slots,
    from: [crate],
    key: (event) => (event.type === 'Stored' ? event.data.shelves : event.type === 'Cleared' ? event.data.shelf : []),
    initial: empty,
    indexes: ['total'],
    on: {
      Stored: (shelf, { data, position }) => ({
        positions: [...shelf.positions, position],
        total: shelf.total + version * data.amount,
        by: '',
      }),
      Cleared: () => null,
      Noted: 'ignore',
    },
  });
}

/** As `Cleared` deletes what it would show, the same again without. */
export function defineTrail({ name = 'trail', version = 1, slots = 1 }: ShelvesOptions = {}): Shelves {
  return defineProjection({
    name,
    version,
    slots,
    from: [crate],
    key: (event) => (event.type === 'Stored' ? event.data.shelves : event.type === 'Cleared' ? event.data.shelf : []),
    initial: empty,
    on: {
      Stored: (shelf, { position }) => ({ ...shelf, positions: [...shelf.positions, position] }),
      Cleared: (shelf, { position }) => ({ ...shelf, positions: [...shelf.positions, position] }),
      Noted: 'ignore',
    },
  });
}

export type View = Readonly<Record<string, Pick<Shelf, 'positions' | 'total'>>>;

/** What the log is folded into up to a position (of a key: where they differ), written down without the engine. */
export async function foldedLog(
  log: Pick<EventLog, 'read'>,
  { name, version }: Pick<AnyProjection, 'name' | 'version'>,
  until: (key: string) => number = () => Infinity,
): Promise<View> {
  const view: Record<string, { positions: number[]; total: number }> = {};
  for await (const page of log.read()) {
    for (const { stream, type, data, position } of page) {
      if (!stream.startsWith('crate-')) continue;
      const { shelves = [], shelf, amount = 0 } = data as { shelves?: string[]; shelf?: string; amount?: number };
      for (const key of new Set(shelf === undefined ? shelves : [shelf])) {
        if (position > until(key)) continue;
        if (type === 'Cleared' && name !== 'trail') delete view[key];
        else {
          const kept = (view[key] ??= { positions: [], total: 0 });
          kept.positions.push(position);
          if (name !== 'trail') kept.total += version * amount;
        }
      }
    }
  }
  return view;
}

/** All documents of a view, without who folded them. */
export async function shownView(engine: Engine, projection: Shelves): Promise<View> {
  const { documents } = await engine.view(projection).findPage({ limit: 10_000 });
  return Object.fromEntries(documents.map(({ key, document: { positions, total } }) => [key, { positions, total }]));
}

/**
 * What was committed together: the documents of every key are what the log up to the checkpoint of its slot leads to, neither more nor less.
 * Nobody may work on it meanwhile. @returns the document that is and ought to be, of a key that differs.
 */
export async function torn(
  log: Pick<EventLog, 'read'>,
  state: StateStore,
  projection: Shelves,
  generation = 1,
): Promise<readonly unknown[]> {
  const build = `${projection.name}@${projection.version}.${generation}`;
  if (!(await state.collections('view/')).includes(`view/${build}`)) return [];
  const checkpoints = await state.checkpoints(`${build}#`);
  const positions = new Map(checkpoints.map(({ name, position }) => [name, position]));
  const until = (key: string) => positions.get(`${build}#${slotOf(key, projection.slots)}`) ?? 0;
  const { documents } = await state.find(`view/${build}`, {
    where: { kind: 'all', of: [] },
    orderBy: [],
    limit: 10_000,
  });
  const shown = new Map(documents.map(({ key, value }) => [key, value as unknown as Shelf]));
  const wanted = await foldedLog(log, projection, until);
  return [...new Set([...shown.keys(), ...Object.keys(wanted)])].flatMap((key) => {
    const { positions: is } = shown.get(key) ?? { positions: undefined };
    const { positions: ought } = wanted[key] ?? { positions: undefined };
    return JSON.stringify(is) === JSON.stringify(ought) ? [] : [{ key, is, ought, until: until(key) }];
  });
}

/** Appends random events, as many as it is told at once: most of crates, on few shelves so that they meet, some of what looks alike but is none. */
export function randomAppends(log: EventLog, seed: number, { shelves = 12 } = {}): (count: number) => Promise<void> {
  const random = seededRandom(seed);
  const shelf = () => `shelf ${Math.floor(random() * shelves)}`;
  const event = () => {
    const die = random();
    if (die < 0.06) return { type: 'Cleared', data: { shelf: shelf() } };
    if (die < 0.12) return { type: 'Noted', data: {} };
    const on = Array.from({ length: Math.floor(random() * 4) }, shelf);
    return { type: 'Stored', data: { shelves: on, amount: 1 + Math.floor(random() * 9) } };
  };
  return async (count) => {
    const appends = Array.from({ length: count }, () => {
      const stream = random() < 0.1 ? 'pallet-1' : `crate-${Math.floor(random() * 5)}`;
      return log.append([{ stream, events: [{ ...event(), tags: [`die:${Math.floor(random() * 3)}`] }] }]);
    });
    await Promise.all(appends);
  };
}
