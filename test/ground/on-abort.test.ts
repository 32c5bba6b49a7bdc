import { getEventListeners } from 'node:events';
import { expect, test } from 'vitest';
import { onAbort } from '../../src/ground/on-abort.ts';

test('a signal is listened to once for all who wait, and tells them in the order of their calls', () => {
  const aborting = new AbortController();
  const told: number[] = [];
  for (const index of [1, 2, 3]) onAbort(aborting.signal, () => told.push(index));
  expect(getEventListeners(aborting.signal, 'abort')).toHaveLength(1);
  aborting.abort();
  expect(told).toEqual([1, 2, 3]);
  expect(getEventListeners(aborting.signal, 'abort')).toHaveLength(0);
});

test('who has left is not told, and a signal for which nobody waits is let go', () => {
  const aborting = new AbortController();
  const told: number[] = [];
  const leave = [1, 2].map((index) => onAbort(aborting.signal, () => told.push(index)));
  leave[0]?.();
  expect(getEventListeners(aborting.signal, 'abort')).toHaveLength(1);
  leave[1]?.();
  expect(getEventListeners(aborting.signal, 'abort')).toHaveLength(0);
  aborting.abort();
  expect(told).toEqual([]);
});

test('who leaves twice leaves those who came meanwhile', () => {
  const aborting = new AbortController();
  const told: string[] = [];
  const leave = onAbort(aborting.signal, () => told.push('first'));
  leave();
  onAbort(aborting.signal, () => told.push('second'));
  leave();
  aborting.abort();
  expect(told).toEqual(['second']);
});
