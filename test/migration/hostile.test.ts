/** Functions that are none, targets that are none, and migrations that are cut off. */
import { migrateLog } from 'eventsrc';
import type { EventLog, Migration, StoredEvent } from 'eventsrc';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { contents, migrated, open, receipt, small } from './shop.ts';

describe('a function that is none', () => {
  const huge = 'x'.repeat(70_000);
  test.each<[string, unknown, string | RegExp]>([
    ['undefined', undefined, "'keep' keeps an event, null leaves it out"],
    ['a promise', () => Promise.reject(new Error('late')), 'a promise'],
    ['a number', 7, 'neither'],
    ['another word', 'drop', '"drop"'],
    ['a list of lists', [[]], 'a list'],
    ['a list with a hole', Object.assign([], { length: 1 }), 'undefined'],
    ['a list without end', Object.assign([], { length: 4_000_000_000 }), 'eventsPerAppend'],
    ['no type', { data: {} }, 'event type'],
    ['an empty type', { type: '', data: {} }, 'it is empty'],
    ['a type of the engine', { type: '$other', data: {} }, 'reserved'],
    ['a step of a saga', { type: '$saga_step', data: {} }, 'a step of a saga'],
    ['no data', { type: 'A' }, 'undefined at data'],
    ['data that are no JSON', { type: 'A', data: { at: new Date(0) } }, 'Date at data.at'],
    ['data that are too long', { type: 'A', data: huge }, 'eventBytes'],
    ['a version that is none', { type: 'A', data: {}, schemaVersion: 0 }, 'schemaVersion'],
    ['a bad stream', { type: 'A', data: {}, stream: 'nodash' }, 'stream name'],
    ['tags that are none', { type: 'A', data: {}, tags: 'x' }, 'list of tags'],
    ['metadata that are none', { type: 'A', data: {}, metadata: [] }, 'metadata'],
    ['another time', { type: 'A', data: {}, recordedAt: 0 }, 'recordedAt cannot be changed'],
    ['another version', { type: 'A', data: {}, version: 9 }, 'version cannot be changed'],
    ['a slip of the pen', { type: 'A', data: {}, tag: ['x'] }, 'nobody looks at tag'],
  ])('returns %s: an error that says where and why, and nothing is written', async (_, said, reason) => {
    await using from = await small();
    await using to = await open();
    const hostile = ((event: StoredEvent) => {
      if (event.position !== 4) return 'keep';
      return typeof said === 'function' ? (said as () => unknown)() : said;
    }) as Migration;
    const error = await migrateLog(from, to, hostile).catch((caught: unknown) => caught);
    expect(error).toMatchObject({
      code: 'migration_failed',
      details: { position: 4, stream: 'b-1', version: 2, type: 'D', reason: expect.stringContaining(String(reason)) },
    });
    expect((await to.head()).position).toBe(0);
  });

  test('throws, whatever it is', async () => {
    await using from = await small();
    await using to = await open();
    for (const thrown of [new Error('broken'), Object.create(null), undefined]) {
      const throwing: Migration = () => {
        throw thrown;
      };
      await expect(migrateLog(from, to, throwing)).rejects.toMatchObject({
        code: 'migration_failed',
        details: { position: 1 },
      });
    }
    await expect(migrateLog(from, to, 'keep' as unknown as Migration)).rejects.toMatchObject({
      code: 'option_invalid',
    });
    await expect(migrateLog(from, from, () => 'keep')).rejects.toMatchObject({ code: 'option_invalid' });
    await expect(migrateLog(from, to, () => 'keep', { recrod: 1 } as object)).rejects.toMatchObject({
      code: 'option_invalid',
    });
  });

  test('a getter that changes its mind is asked once', async () => {
    const events = { A: z.object({}), B: z.object({}), C: z.object({}), D: z.object({}) };
    const fickle: Migration = (event) => {
      const answers = [{}, 'something else'];
      const data = { get: () => answers.shift(), enumerable: true };
      return event.position === 1 ? (Object.defineProperty({ type: 'A' }, 'data', data) as { type: string }) : 'keep';
    };
    expect((await migrated(fickle, { events }))[0]).toBe('a-1@1 A {}');
  });

  test('changes its mind: in the same run it is noticed', async () => {
    await using from = await small();
    await using to = await open();
    let count = 0;
    const fickle: Migration = () => ({ type: 'A', data: count++ });
    await expect(migrateLog(from, to, fickle)).rejects.toMatchObject({ code: 'copy_refused' });
  });
});

describe('a target', () => {
  test('of which the function gives something else now is refused, and left as it is', async () => {
    await using from = await small();
    await using to = await open();
    await migrateLog(from, to, () => 'keep');
    const before = await contents(to);
    for (const other of [
      (event: StoredEvent) => (event.position === 3 ? { type: 'C', data: 7 } : ('keep' as const)),
      (event: StoredEvent) => (event.position === 5 ? null : ('keep' as const)),
      () => null,
    ])
      await expect(migrateLog(from, to, other)).rejects.toMatchObject({ code: 'copy_refused' });
    expect(await contents(to)).toEqual(before);
  });

  test('that holds anything else is refused, and left as it is', async () => {
    await using from = await small();
    await using events = await open();
    await events.append([{ stream: 'z-1', events: [{ type: 'Z', data: {} }] }]);
    await using receipts = await open();
    await receipts.append([], { receipt: receipt('mine') });
    for (const to of [events, receipts]) {
      const before = await contents(to);
      await expect(migrateLog(from, to, () => 'keep')).rejects.toMatchObject({ code: 'copy_refused' });
      expect(await contents(to)).toEqual(before);
    }
  });

  test('that somebody else writes to meanwhile is noticed', async () => {
    await using from = await small();
    await using to = await open();
    let isFirst = true;
    const onProgress = ({ phase }: { phase: string }) => {
      if (phase !== 'verifying' || !isFirst) return;
      isFirst = false;
      void to.append([{ stream: 'z-1', events: [{ type: 'Z', data: {} }] }]);
    };
    // More than one page, so that it is noticed in this run.
    for (let count = 0; count < 4; count++)
      await from.append([
        { stream: `n-${count}`, events: Array.from({ length: 700 }, () => ({ type: 'A', data: {} })) },
      ]);
    await migrateLog(from, to, () => 'keep', { onProgress }).catch(() => {});
    await expect(migrateLog(from, to, () => 'keep')).rejects.toMatchObject({ code: 'copy_refused' });
  });

  test('can be cut off at every transaction, and holds the same in the end', async () => {
    await using from = await open();
    for (let count = 0; count < 4; count++)
      await from.append([
        { stream: `n-${count}`, events: Array.from({ length: 700 }, () => ({ type: 'A', data: {} })) },
      ]);
    const twice: Migration = (event) => (event.version % 2 === 0 ? ['keep', { type: 'B', data: {} }] : 'keep');
    await using whole = await open();
    await migrateLog(from, whole, twice);
    await using to = await open();
    const imported: EventLog['import'] = to.import.bind(to);
    let runs = 0;
    for (let left = 0; ; left = 0) {
      // Of two, the answer to the first is lost; the second is never made.
      to.import = async (...given) => {
        if (left++ > 0) throw new Error('cut off');
        await imported(...given);
        throw new Error('cut off');
      };
      const before = (await to.head()).position;
      await expect(migrateLog(from, to, twice)).rejects.toThrow('cut off');
      runs += 1;
      if ((await to.head()).position === before) break;
    }
    expect(runs).toBeGreaterThan(1);
    to.import = imported;
    expect(await migrateLog(from, to, twice)).toMatchObject({ written: 0, skipped: 4_200 });
    expect(await contents(to)).toEqual(await contents(whole));
  });
});

test('who keeps the record is waited for, and what it throws ends the migration', async () => {
  await using from = await small();
  await using to = await open();
  const full = new Error('full');
  const record = () => Promise.reject(full);
  await expect(migrateLog(from, to, () => null, { record })).rejects.toBe(full);
});
