/** Replays that begin with a snapshot, whoever keeps them. */
import { describe, expect, test } from 'vitest';
import type { Folded } from '../../src/command/boundary.ts';
import { memory, openLog } from '../../src/index.ts';
import type { Moment, RecordedEvent } from '../../src/index.ts';
import { pastOf } from '../../src/replay/open-past.ts';
import { replays } from '../../src/replay/start.ts';
import { account } from '../command/account.ts';

/** A stream of ten deposits, with snapshots that can be told from true states. */
async function withSnapshots(...versions: readonly number[]) {
  const log = await openLog({ store: memory() });
  const events = Array.from({ length: 10 }, () => ({ type: 'MoneyDeposited', data: { amount: 1 } }));
  await log.append([{ stream: 'other-1', events: [{ type: 'Other', data: {} }] }]);
  await log.append([{ stream: 'account-1', events }]);
  const asked: (Moment | undefined)[] = [];
  const newestSnapshot = async (_aggregate: unknown, _stream: string, at?: Moment): Promise<Folded | undefined> => {
    asked.push(at);
    const isBy = (version: number) =>
      at === undefined ||
      ('version' in at ? version <= at.version : 'position' in at ? version + 1 <= at.position : true);
    const version = versions.findLast(isBy);
    if (version === undefined) return undefined;
    return { state: { open: true, balance: version }, version, position: version + 1, deleted: false };
  };
  const folding = {
    start: (): Folded => ({ state: account.start(), version: 0, position: 0, deleted: false }),
    fold: (_: unknown, { state }: Folded, event: RecordedEvent): Folded => {
      const { version, position } = event;
      return { state: account.evolve(state as never, event as never), version, position, deleted: false };
    },
  };
  const context = {
    log,
    folding,
    freezes: true,
    now: Date.now,
    newestSnapshot,
    closing: new AbortController().signal,
    checkOpen: () => {},
  };
  return { replay: replays(context), past: pastOf(context), asked };
}

const subject = { aggregate: account, id: '1' } as const;

describe('from a snapshot', () => {
  test('it begins with the newest one, and the first frame is the event behind it', async () => {
    const { replay } = await withSnapshots(3, 7);
    const frames = [];
    for await (const frame of replay(subject, { mode: 'from_snapshot' })) frames.push(frame);
    expect(frames.map(({ event }) => event.version)).toEqual([8, 9, 10]);
    expect(frames[0]).toMatchObject({ before: { open: true, balance: 7 }, state: { balance: 8 } });
    expect(await replay(subject, { mode: 'from_snapshot' }).run()).toMatchObject({ version: 10, events: 3 });
  });

  test('as of a moment it begins with one from before that', async () => {
    const { replay } = await withSnapshots(3, 7);
    const at = { version: 5 };
    const result = await replay(subject, { mode: 'from_snapshot', at }).run();
    expect(result).toEqual({ state: { open: true, balance: 5 }, version: 5, position: 6, deleted: false, events: 2 });
    expect(await replay(subject, { mode: 'from_snapshot', at: { version: 2 } }).run()).toMatchObject({ events: 2 });
    expect(await replay(subject, { mode: 'from_snapshot', at: { version: 7 } }).run()).toMatchObject({
      version: 7,
      events: 0,
    });
  });

  test('moved, it goes on from the newest one before where it is moved to', async () => {
    const { replay } = await withSnapshots(3, 7);
    const moved = replay(subject, { mode: 'from_snapshot' });
    const frames = moved[Symbol.asyncIterator]();
    await frames.next();
    moved.seek({ version: 4 });
    expect((await frames.next()).value).toMatchObject({ event: { version: 5 }, before: { open: true, balance: 4 } });
    moved.seek({ version: 0 });
    expect((await frames.next()).value).toMatchObject({ event: { version: 1 }, before: { open: false, balance: 0 } });
    await frames.return?.();
  });

  test('moved to behind its end, it goes no further than that', async () => {
    const { replay } = await withSnapshots(3, 7);
    const moved = replay(subject, { mode: 'from_snapshot', at: { version: 5 } });
    moved.seek({ version: 9 });
    expect(await moved[Symbol.asyncIterator]().next()).toMatchObject({ done: true });
    expect(moved.progress).toMatchObject({ position: 6, until: 6, fraction: 1 });
  });

  test('no other mode looks for one', async () => {
    const { replay, asked } = await withSnapshots(3, 7);
    expect(await replay(subject).run()).toMatchObject({ state: { open: false, balance: 10 }, events: 10 });
    await replay(subject, { mode: 'time_travel', at: { version: 5 } }).run();
    expect(asked).toEqual([]);
  });
});

test('what is compared from a moment on begins with one, too', async () => {
  const { past } = await withSnapshots(3, 7);
  const diff = await past.diff(subject, { from: { version: 5 }, to: { version: 6 } });
  expect(diff).toMatchObject({ before: { open: true, balance: 5 }, after: { open: true, balance: 6 } });
});
