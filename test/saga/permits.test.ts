import { describe, expect, test } from 'vitest';
import { Permits } from '../../src/saga/permits.ts';

describe('permits', () => {
  test('are given out as often as they may be, of each activity for itself', () => {
    const permits = new Permits();
    expect([1, 2, 3].map(() => permits.take('pay', 2))).toEqual([true, true, false]);
    expect(permits.take('ship', 1)).toBe(true);
    permits.release('pay');
    expect([1, 2].map(() => permits.take('pay', 2))).toEqual([true, false]);
    expect(Array.from({ length: 1_000 }, () => permits.take('mail', Infinity)).every(Boolean)).toBe(true);
  });

  test('who must wait is told when one is free: one for each, in the order in which they came, once', () => {
    const permits = new Permits();
    const told: string[] = [];
    const first = () => void told.push('first');
    permits.take('pay', 1);
    permits.whenFree('pay', first);
    permits.whenFree('pay', () => void told.push('second'));
    permits.whenFree('pay', first);
    permits.release('pay');
    expect(told).toEqual(['first']);
    permits.take('pay', 1);
    permits.release('pay');
    expect(told).toEqual(['first', 'second']);
    permits.take('pay', 1);
    permits.release('pay');
    expect(told).toEqual(['first', 'second']);
  });

  test('a permit that whoever was told does not want is passed on', () => {
    const permits = new Permits();
    const told: string[] = [];
    permits.take('pay', 1);
    for (const who of ['gone', 'there', 'behind']) permits.whenFree('pay', () => void told.push(who));
    permits.release('pay');
    permits.passOn();
    expect(told).toEqual(['gone', 'there']);
    permits.take('pay', 1);
    permits.passOn();
    expect(told).toEqual(['gone', 'there']);
  });

  test('waiting for one activity is not disturbed by another', () => {
    const permits = new Permits();
    const told: string[] = [];
    permits.take('pay', 1);
    permits.take('ship', 1);
    permits.whenFree('pay', () => void told.push('pay'));
    permits.release('ship');
    permits.passOn();
    expect(told).toEqual([]);
  });
});
