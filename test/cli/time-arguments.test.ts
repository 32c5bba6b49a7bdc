/** What is typed to look back, as the engine takes it. */
import { Command } from 'commander';
import { describe, expect, test } from 'vitest';
import { moment, momentText, requireNoVersion, typedMoment } from '../../src/cli/moment-argument.ts';
import { addReplayOptions, paceOf, partOf } from '../../src/cli/replay-options.ts';
import type { ReplayTyped } from '../../src/cli/replay-options.ts';
import { addedEvent, eventPick } from '../../src/cli/what-if-arguments.ts';

const dayEnd = Date.UTC(2026, 0, 31, 23, 59, 59, 999);

describe('a moment', () => {
  test.each([
    ['v12', { version: 12 }, 'version 12', 'v12'],
    ['@34500', { position: 34_500 }, 'position 34,500', '@34500'],
    ['2026-01-31', { time: dayEnd }, '2026-01-31 23:59:59', '2026-01-31T23:59:59.999Z'],
    ['2026-01-31T12:00', { time: Date.UTC(2026, 0, 31, 12) }, '2026-01-31 12:00:00', '2026-01-31T12:00:00.000Z'],
    ['2026-01-31T12:00:01+01:00', { time: Date.UTC(2026, 0, 31, 11, 0, 1) }, '2026-01-31 11:00:01', undefined],
  ])('%s', (typed, at, text, again) => {
    expect(moment(typed)).toEqual(at);
    expect(momentText(at)).toBe(text);
    if (again !== undefined) expect(typedMoment(at)).toBe(again);
  });

  test('may be an age', () => {
    expect(Date.now() - 7_200_000 - (moment('2h') as { readonly time: number }).time).toBeLessThan(60_000);
  });

  test.each(['', 'v', 'v-1', 'v1.5', '@', 'yesterday', '2026-02-30', 'V3', '2026-01-31 12:00'])(
    '%j is none',
    (typed) => {
      expect(() => moment(typed)).toThrow('Expected a version such as v12, a position such as @345, or a time');
    },
  );

  test('that is a number alone may be meant in two ways', () => {
    expect(() => moment('12')).toThrow('(v12? @12?)');
  });

  test('of what has no versions is none of them', () => {
    expect(() => requireNoVersion({ '--from': { position: 1 }, '--to': undefined })).not.toThrow();
    expect(() => requireNoVersion({ '--from': { version: 1 } })).toThrow('--from v1: only one stream has versions');
  });
});

describe('the part of history that is replayed', () => {
  const at = { position: 3 };
  const select = { types: ['A'], tags: undefined, streams: undefined };

  test.each<[ReplayTyped, object]>([
    [{}, { mode: 'full' }],
    [{ at }, { mode: 'time_travel', at }],
    [{ type: ['A'] }, { mode: 'selective', select }],
    [
      { type: ['A'], at },
      { mode: 'selective', select, at },
    ],
    [{ mode: 'from_snapshot' }, { mode: 'from_snapshot' }],
    [
      { mode: 'from_snapshot', at },
      { mode: 'from_snapshot', at },
    ],
  ])('%j is %j', (typed, part) => {
    expect(partOf(typed)).toEqual(part);
  });

  test.each<[ReplayTyped, string]>([
    [{ mode: 'full', at }, '--mode full goes up to now'],
    [{ mode: 'time_travel' }, 'has no moment'],
    [{ mode: 'selective', at }, 'selects nothing'],
    [{ mode: 'full', tag: ['a'] }, '--mode full selects no events'],
  ])('%j contradicts itself', (typed, message) => {
    expect(() => partOf(typed)).toThrow(message);
  });
});

describe('a pace', () => {
  const paceTyped = (...typed: readonly string[]) => {
    const command = addReplayOptions(new Command().exitOverride().configureOutput({ outputError: () => {} }));
    return paceOf(command.parse(typed, { from: 'user' }).opts<ReplayTyped>());
  };

  test.each([
    [[], {}],
    [['--speed', '10', '--max-gap', '5s'], { speed: 10, maxGapMs: 5_000 }],
    [['--speed', '0.5x', '--max-gap', '250ms'], { speed: 0.5, maxGapMs: 250 }],
    [['--speed', 'unthrottled', '--max-gap', '1.5m'], { speed: 'unthrottled', maxGapMs: 90_000 }],
  ])('%j', (typed, pace) => {
    expect(paceTyped(...typed)).toEqual(pace);
  });

  test.each([
    ['--speed', 'fast', 'Expected a factor'],
    ['--speed', '-1', 'Expected a factor'],
    ['--max-gap', '5', 'Expected how long'],
  ])('is not %s %s', (option, typed, message) => {
    expect(() => paceTyped(option, typed)).toThrow(message);
  });
});

describe('an event that', () => {
  const id = 'ab'.repeat(32);

  test('is left out is a version, a position, or an id', () => {
    expect(['v3', '@12', id].map((typed) => eventPick(typed, true))).toEqual([
      { version: 3 },
      { position: 12 },
      { id },
    ]);
    expect(() => eventPick('v3', false)).toThrow('only one stream has versions');
    expect(() => eventPick('3', true)).toThrow('names no event');
  });

  test('is added says where, in the notation of all moments', () => {
    const after = { version: 2 };
    expect(addedEvent('{"type": "A", "data": 1, "after": "v2"}', true)).toEqual({ type: 'A', data: 1, after });
    expect(addedEvent('{"type": "A", "stream": "a-1"}', false)).toEqual({ type: 'A', stream: 'a-1' });
  });

  test.each([
    ['[1]', true, 'no JSON object'],
    ['{type', true, 'no JSON'],
    ['{"data": 1}', true, 'has no type'],
    ['{"type": "A", "stream": "a-1"}', true, 'goes to its stream'],
    ['{"type": "A"}', false, 'has no stream'],
    ['{"type": "A", "after": 3}', true, '"after": 3 is no moment'],
    ['{"type": "A", "stream": "a-1", "after": "v3"}', false, 'no moment of a view'],
    ['{"type": "A", "data": 12345678901234567890}', true, 'would become'],
  ])('%s cannot be added', (typed, isOfOneStream, message) => {
    expect(() => addedEvent(typed, isOfOneStream)).toThrow(message);
  });
});
