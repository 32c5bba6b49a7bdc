import fc from 'fast-check';
import { expect, test } from 'vitest';
import { areEqual, fromBase64, fromHex, toBase64, toHex, toSharedUtf8, toUtf8 } from '../../src/event/bytes.ts';

test('bytes come back from hexadecimal digits, of either case, and from base64', () => {
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      const hex = toHex(bytes);
      expect(hex).toBe(Buffer.from(bytes).toString('hex'));
      for (const text of [hex, hex.toUpperCase()]) expect(fromHex(text, bytes.length)).toEqual(bytes);
      expect(fromHex(hex, bytes.length + 1)).toBeUndefined();
      expect(toBase64(bytes)).toBe(Buffer.from(bytes).toString('base64'));
      expect(fromBase64(toBase64(bytes))).toEqual(bytes);
    }),
  );
});

test('texts that share buffers, the longest that do and others, are not written over by those that come after', () => {
  const texts = Array.from({ length: 2_000 }, (_, index) => '\u{1f600}é€x'.repeat((index * 7) % 200) + index);
  const bytes = texts.map(toSharedUtf8);
  expect(bytes).toEqual(texts.map(toUtf8));
  expect(new Set(bytes.map(({ buffer }) => buffer)).size).toBeLessThan(texts.length);
});

test.each(['0g', '0:', '0`', '0@', '0/', ' 1'])('%j is no hexadecimal number', (text) => {
  expect(fromHex(text, 1)).toBeUndefined();
});

test('what is no base64 is none', () => {
  expect(fromBase64('a*b')).toBeUndefined();
});

test('bytes are equal where every one of them is', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1 }), fc.nat(), (bytes, at) => {
      const other = Uint8Array.from(bytes);
      expect(areEqual(bytes, other)).toBe(true);
      other[at % other.length] = (other[at % other.length] ?? 0) ^ 1;
      expect(areEqual(bytes, other)).toBe(false);
      expect(areEqual(bytes, bytes.subarray(1))).toBe(false);
    }),
  );
});
