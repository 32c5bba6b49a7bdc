import { describe, expect, test } from 'vitest';
import { fromBytes, fromText } from '../../examples/git-history/byte-string.ts';
import { fileStream, pathFromData, pathToData } from '../../examples/git-history/path-names.ts';

const digestPattern = /^file-sha256:[0-9a-f]{64}$/;
const notUtf8 = fromBytes(Buffer.from([0x61, 0xff]));

describe('the stream of a path', () => {
  test.each([
    'README.md',
    'src/a-b.ts',
    'with space',
    'é',
    'e\u0301',
    '\ufeffmark',
    '🍅',
    '-rf',
    `a${'/b'.repeat(509)}`,
  ])('is named after it: %j', (path) => {
    expect(fileStream(fromText(path))).toBe(`file-${path}`);
  });

  test.each([
    ['is not valid UTF-8', notUtf8],
    ['holds a control character', fromText('new\nline')],
    ['holds a control character above 0x7f', fromText('next\u0085line')],
    ['holds a surrogate', fromBytes(Buffer.from([0xed, 0xa0, 0x80]))],
    ['is too long', fromText(`a${'/b'.repeat(510)}`)],
    ['is too long in bytes', fromText('é'.repeat(510))],
    ['looks like a digest', fromText('sha256:0123')],
  ])('is named after a digest where the path %s', (_, path) => {
    expect(fileStream(path)).toMatch(digestPattern);
  });

  test('is not that of a path which is spelled like the other one’s digest', () => {
    const digest = fileStream(notUtf8).slice('file-'.length);
    expect(fileStream(fromText(digest))).not.toBe(fileStream(notUtf8));
  });
});

test.each([fromText('README.md'), fromText('é 🍅\n'), fromText('\ufeffmark'), notUtf8, fromText('__proto__')])(
  'the path %j is the same after a passage through an event',
  (path) => {
    expect(pathFromData(JSON.parse(JSON.stringify(pathToData(path))))).toBe(path);
  },
);

test('a path is text in an event wherever it can be', () => {
  expect(pathToData(fromText('é\n'))).toEqual({ path: 'é\n' });
  expect(pathToData(notUtf8)).toEqual({ pathBase64: 'Yf8=' });
});
