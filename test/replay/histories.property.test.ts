/** Replays of random histories, in which instances are deleted and made again, against folds that are written down naively. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { RecordedEvent, Replay } from '../../src/index.ts';
import { deeds, ids, isBefore, ledgerDomain, ledgerOf, momentOf, ofStream, record, rowsOf } from './ledger.ts';
import type { Domain } from './ledger.ts';
import { backends, enginesOnAll } from './stores.ts';
import type { Opened } from './stores.ts';

const numRuns = process.env['SOAK'] === undefined ? 12 : 500;
const opened = enginesOnAll();
let domains = 0;

async function framesOf<Frame>(replay: Replay<Frame, unknown>): Promise<readonly Frame[]> {
  const frames: Frame[] = [];
  for await (const frame of replay) frames.push(frame);
  return frames;
}

/** Random histories, each with a die for moments. */
function property(
  { engine, clock }: Opened,
  check: (domain: Domain, list: readonly RecordedEvent[], die: number) => Promise<void>,
): Promise<void> {
  const law = fc.asyncProperty(deeds, fc.nat(100), async (list, die) => {
    const domain = ledgerDomain(`ledger${++domains}`);
    await check(domain, await record(engine, clock, domain, list), die);
  });
  return fc.assert(law, { numRuns });
}

const last = <Item>(list: readonly Item[]): Item | undefined => list.at(-1);

describe.each(backends)('on %s', (backend) => {
  test('a full replay of an instance is its fold, event by event and at once, as often as it is done', async () => {
    const { engine } = opened(backend);
    await property(opened(backend), async ({ ledger }, list) => {
      for (const id of ids) {
        const own = ofStream(list, ledger.stream(id));
        const subject = { aggregate: ledger, id };
        const frames = await framesOf(engine.replay(subject));
        expect(frames.map(({ event }) => event.id)).toEqual(own.map((event) => event.id));
        for (const [index, { state, before, deleted, event }] of frames.entries()) {
          expect(state).toEqual(ledgerOf(own.slice(0, index + 1)));
          expect(before).toEqual(ledgerOf(own.slice(0, index)));
          expect(deleted).toBe(event.type === '$deleted');
        }
        expect(await framesOf(engine.replay(subject))).toEqual(frames);
        const result = await engine.replay(subject).run();
        const { position = 0, version = 0 } = last(own) ?? {};
        expect(result).toEqual({ ...(await engine.load(ledger, id)), events: own.length });
        expect(result).toMatchObject({ state: ledgerOf(own), position, version });
      }
    });
  });

  test('full replays of all instances, of documents and of folds of ones own are their folds', async () => {
    const { engine } = opened(backend);
    await property(opened(backend), async ({ ledger, rows }, list) => {
      const { states, events } = await engine.replay({ aggregate: ledger }).run();
      expect(events).toBe(list.length);
      expect([...states.keys()]).toEqual([...new Set(list.map(({ stream }) => stream))]);
      for (const [stream, { state, version }] of states) {
        const own = ofStream(list, stream);
        expect({ state, version }).toEqual({ state: ledgerOf(own), version: own.length });
      }
      const frames = await framesOf(engine.replay({ aggregate: ledger }));
      expect(frames.map(({ state }) => state)).toEqual(
        list.map(({ stream, position }) =>
          ledgerOf(ofStream(list, stream).filter((event) => event.position <= position)),
        ),
      );

      const { documents } = await engine.replay({ projection: rows }).run();
      expect(documents).toEqual(rowsOf(list));
      const played = new Map<string, unknown>();
      for (const frame of await framesOf(engine.replay({ projection: rows })))
        for (const { key, before, after } of frame.documents) {
          expect(before).toEqual(played.get(key));
          if (after === undefined) played.delete(key);
          else played.set(key, after);
        }
      expect(played).toEqual(rowsOf(list));
      for (const key of ['1', 'a']) {
        const subject = { projection: rows, key };
        expect((await engine.replay(subject).run()).document).toEqual(rowsOf(list).get(key));
        expect(last(await framesOf(engine.replay(subject)))?.document).toEqual(rowsOf(list).get(key));
      }

      const sum = {
        fold: {
          initial: (): { positions: number[] } => ({ positions: [] }),
          evolve: (state: { positions: number[] }, { position }: RecordedEvent) => {
            state.positions.push(position);
            return state;
          },
        },
        query: { after: (list[0]?.position ?? 1) - 1, until: last(list)?.position ?? 0 },
      };
      const positions = list.map(({ position }) => position);
      expect((await engine.replay(sum).run()).state).toEqual({ positions });
      expect(last(await framesOf(engine.replay(sum)))?.state.positions ?? []).toEqual(positions);
      const { query } = sum;
      expect((await framesOf(engine.replay({ query }))).map(({ event }) => event.position)).toEqual(positions);
    });
  });

  test('time travel is the fold of what had happened by then: between events, before the first, after the last', async () => {
    const { engine } = opened(backend);
    await property(opened(backend), async ({ ledger, rows }, list, die) => {
      for (const at of [momentOf(list, die, 'position'), momentOf(list, die, 'time')]) {
        const travel = { mode: 'time_travel', at } as const;
        const past = list.filter(isBefore(at));
        for (const id of ids) {
          const own = ofStream(past, ledger.stream(id));
          const result = await engine.replay({ aggregate: ledger, id }, travel).run();
          expect(result).toMatchObject({ state: ledgerOf(own), version: own.length, events: own.length });
          expect(result).toEqual({ ...(await engine.load(ledger, id, { at })), events: own.length });
        }
        expect((await engine.replay({ aggregate: ledger }, travel).run()).events).toBe(past.length);
        expect((await engine.replay({ projection: rows }, travel).run()).documents).toEqual(rowsOf(past));
        const view = await engine.past.view(rows, at);
        const found = await view.findPage();
        expect(new Map(found.documents.map(({ key, document }) => [key, document]))).toEqual(rowsOf(past));
        expect(await view.get('a')).toEqual(rowsOf(past).get('a'));
        expect(await view.count({ where: { sum: { gt: 0 } } })).toBe(
          [...rowsOf(past).values()].filter((row) => row.sum > 0).length,
        );
      }
      const own = ofStream(list, ledger.stream('1'));
      const version = die % (own.length + 2);
      const back = await engine.replay({ aggregate: ledger, id: '1' }, { mode: 'time_travel', at: { version } }).run();
      expect(back.state).toEqual(ledgerOf(own.slice(0, version)));
    });
  });

  test('from a snapshot, at every version, it comes to what a full replay comes to', async () => {
    const { engine } = opened(backend);
    let skipped = 0;
    await property(opened(backend), async ({ ledger }, list, die) => {
      const subject = { aggregate: ledger, id: '1' };
      // Whatever is loaded is kept.
      await engine.load(ledger, '1');
      await engine.snapshots.settled();
      const own = ofStream(list, ledger.stream('1'));
      for (let version = 0; version <= own.length; version++) {
        const at = { version };
        const full = await engine.replay(subject, { mode: 'time_travel', at }).run();
        const short = await engine.replay(subject, { mode: 'from_snapshot', at }).run();
        expect({ ...short, events: version }).toEqual(full);
        skipped += version - short.events;
      }
      const version = die % (own.length + 1);
      const moved = engine.replay(subject, { mode: 'from_snapshot' });
      moved.seek({ version });
      const frames = await framesOf(moved);
      expect(frames.map(({ event }) => event.version)).toEqual(own.slice(version).map((event) => event.version));
      if (frames.length > 0) expect(last(frames)?.state).toEqual(ledgerOf(own));
    });
    expect(skipped).toBeGreaterThan(0);
  });

  test('a selective replay is the fold of what is selected', async () => {
    const { engine } = opened(backend);
    await property(opened(backend), async ({ ledger, rows }, list, die) => {
      const tags = [[], ['x'], ['x', 'y']][die % 3] ?? [];
      const types = [['Booked'], ['Renamed'], ['Booked', '$deleted']][die % 2] ?? [];
      const isOdd = ({ position }: RecordedEvent) => position % 2 === 1;
      const isSelected = ({ type, tags: own }: RecordedEvent) =>
        types.includes(type) && tags.every((tag) => own.includes(tag));
      const kept = list.filter(isSelected);
      const select = { types: types as ('Booked' | '$deleted')[], tags };
      const mode = 'selective';
      const own = ofStream(kept, ledger.stream('1'));
      const byType = await engine.replay({ aggregate: ledger, id: '1' }, { mode, select }).run();
      expect(byType).toMatchObject({ state: ledgerOf(own), events: own.length });
      const documents = await engine.replay({ projection: rows }, { mode, select }).run();
      expect(documents.documents).toEqual(rowsOf(kept));
      const streams = [ledger.stream('2')];
      const odd = await engine.replay({ projection: rows }, { mode, select: { streams, where: isOdd } }).run();
      expect(odd.documents).toEqual(rowsOf(ofStream(list, ledger.stream('2')).filter(isOdd)));
      const both = await engine.replay(
        {},
        { mode, select: { ...select, streams: ids.map((id) => ledger.stream(id)) } },
      );
      expect((await framesOf(both)).map(({ event }) => event.position)).toEqual(kept.map(({ position }) => position));
      const at = momentOf(list, die, 'position');
      const then = await engine.replay({ projection: rows }, { mode, select, at }).run();
      expect(then.documents).toEqual(rowsOf(kept.filter(isBefore(at))));
    });
  });

  test('wherever it is moved to, the next frame is the first event behind that, and what it shows is right', async () => {
    const { engine } = opened(backend);
    await property(opened(backend), async ({ ledger, rows }, list, die) => {
      const own = ofStream(list, ledger.stream('1'));
      const replay = engine.replay({ aggregate: ledger, id: '1' });
      const frames = replay[Symbol.asyncIterator]();
      for (const jump of [die, die * 7, die * 3]) {
        const version = jump % (own.length + 1);
        replay.seek({ version });
        replay.pause();
        if (version === own.length) continue;
        replay.step();
        const { value } = await frames.next();
        expect(value).toMatchObject({ event: { version: version + 1 }, before: ledgerOf(own.slice(0, version)) });
        expect(value).toMatchObject({ state: ledgerOf(own.slice(0, version + 1)) });
      }
      await frames.return?.();

      const all = engine.replay({ projection: rows });
      const shown = all[Symbol.asyncIterator]();
      await shown.next();
      const to = momentOf(list, die, 'position');
      all.seek(to);
      const seen = rowsOf(list.filter(isBefore(to)));
      for (let next = await shown.next(); next.done !== true; next = await shown.next())
        for (const { key, before, after } of next.value.documents) {
          expect(before).toEqual(seen.get(key));
          if (after === undefined) seen.delete(key);
          else seen.set(key, after as { sum: number; last: { by: string } });
        }
      expect(seen).toEqual(rowsOf(list));
    });
  });
});
