import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { toUtf8, utf8Length } from '../../src/event/bytes.ts';
import { eventKind } from '../../src/event/event.ts';
import {
  checkEventType,
  checkStreamName,
  compareCodePoints,
  normalizeTags,
  splitStreamName,
  streamBytesMax,
  streamName,
} from '../../src/event/names.ts';

const wellFormed = fc.string({ unit: 'binary' });

describe('stream names', () => {
  test.each(['order-1', 'o-x', 'orderLine_2-äöü 😀/..\\ "x"', 'a-1-2--3', `order-${'x'.repeat(streamBytesMax - 6)}`])(
    '%s is taken, and splits at its first dash',
    (name) => {
      expect(checkStreamName(name)).toBe(name);
      const { aggregate, aggregateId } = splitStreamName(name);
      expect(streamName(aggregate, aggregateId)).toBe(name);
      expect(aggregate).not.toContain('-');
    },
  );

  test.each([
    ['order', /<aggregate>-<id>/],
    ['Order-1', /a-z/],
    ['1order-1', /a-z/],
    ['order-', /id is empty/],
    ['-1', /a-z/],
    ['', /empty/],
    ['order-a\nb', /control/],
    ['order-a\u0085b', /control/],
    ['order-\ud83c', /surrogate/],
    [`order-${'x'.repeat(streamBytesMax - 5)}`, /1024 bytes/],
    [`order-${'é'.repeat(510)}`, /1024 bytes/],
    [7 as unknown as string, /not a string/],
  ])('%j is refused', (name, reason) => {
    expect(() => checkStreamName(name)).toThrow(expect.objectContaining({ code: 'name_invalid' }));
    expect(() => checkStreamName(name)).toThrow(reason);
  });

  test('the name of an aggregate cannot smuggle in a dash', () => {
    expect(() => streamName('order-line', '1')).toThrow(/aggregate name/);
  });
});

test('types that begin with $ are the engine’s', () => {
  expect(checkEventType('order.placed/v1')).toBe('order.placed/v1');
  expect(() => checkEventType('$deleted')).toThrow(/reserved/);
  expect(() => checkEventType('x'.repeat(257))).toThrow(/256 bytes/);
});

test('kinds follow from type and version', () => {
  expect(eventKind('A', 1)).toBe('created');
  expect(eventKind('A', 2)).toBe('updated');
  expect(eventKind('$deleted', 1)).toBe('deleted');
  expect(eventKind('$compacted', 9)).toBe('compacted');
  expect(eventKind('$sagaStarted', 1)).toBe('saga_step');
});

describe('text', () => {
  test('tags become a sorted set', () => {
    expect(normalizeTags(['b', 'a', 'b', '🎉', '～'])).toEqual(['a', 'b', '～', '🎉']);
    expect(() => normalizeTags(['a\u0000'])).toThrow(/control/);
    expect(() => normalizeTags([''])).toThrow(/empty/);
  });

  test('code points order as UTF-8 bytes do', () => {
    fc.assert(
      fc.property(wellFormed, wellFormed, (a, b) => {
        const bytes = Buffer.compare(toUtf8(a), toUtf8(b));
        expect(Math.sign(compareCodePoints(a, b))).toBe(bytes);
      }),
    );
  });

  test('bytes of UTF-8 are counted', () => {
    fc.assert(
      fc.property(wellFormed, (text) => {
        expect(utf8Length(text)).toBe(toUtf8(text).length);
      }),
    );
  });
});
