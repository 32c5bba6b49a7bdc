import { expect, test } from 'vitest';
import type { EngineError } from '../../src/ground/errors.ts';
import { GrowthWatch } from '../../src/sqlite/growth-watch.ts';
import type { Head } from '../../src/sqlite/head-row.ts';

function headAt(position: number): Head {
  return { position, recordedAt: 0, streams: 0, types: 0, tags: 0, receipts: 0, indexChanges: 0 };
}

/** A file whose head answers with each of these in turn, and with the last from then on. */
function watchOf(...answers: readonly (Head | Error)[]): GrowthWatch {
  const left = [...answers];
  const reader = {
    dataVersion: () => 1 + Math.min(answers.length - left.length, 1),
    head: () => {
      const answer = (left.length > 1 ? left.shift() : left[0]) as Head | Error;
      if (answer instanceof Error) throw answer;
      return answer;
    },
  };
  return new GrowthWatch(reader, 'store.db');
}

const busy = (): Error => Object.assign(new Error('database is locked'), { errcode: 5 });

test('a look that fails after an append is told to those who wait, not to who appended', async () => {
  const watch = watchOf(headAt(0), new Error('no more'));
  const waiting = watch.past(0, undefined).catch((error: EngineError) => error.code);
  watch.notice();
  expect(await waiting).toBe('store_failed');
  watch.close();
});

test('growth that a busy file hid is noticed by a later look', async () => {
  const watch = watchOf(headAt(0), busy(), busy(), headAt(1));
  const waiting = watch.past(0, undefined);
  watch.notice();
  expect(await waiting).toBe(1);
  watch.close();
});
