import { describe, expect, test } from 'vitest';
import { codeText, plainText } from '../../src/schema/markdown-text.ts';
import { markdownCatalogue } from '../../src/schema/markdown.ts';
import { empty, hostile, hostileNames, shop } from './shop-model.ts';

test('a small shop is described as it was', async () => {
  await expect(markdownCatalogue(shop)).toMatchFileSnapshot('golden/shop.md');
});

test('a model with nothing in it says so', () => {
  expect(markdownCatalogue(empty)).toBe('# Empty\n\nVersion 1.\n\nNothing is declared.\n');
});

describe('names that are out to break it', () => {
  const lines = markdownCatalogue(hostile()).split('\n');

  test('add no cells to a table', () => {
    const rows = lines.filter((line) => line.startsWith('|'));
    expect(rows.length).toBeGreaterThan(hostileNames.length * 10);
    // As GitHub's parser tells cells apart: whatever follows a backslash is no end of one.
    const widths = rows.map((row) => [...row.matchAll(/\|(?:\\.|[^|\\])*(?=\|)/gu)].length);
    expect(new Set(widths)).toEqual(new Set([4, 5]));
  });

  test('are no HTML and begin no blocks', () => {
    const outsideOfCode = lines.map((line) => line.replaceAll(/`[^`]*`/gu, ''));
    expect(outsideOfCode.filter((line) => /<|^>/u.test(line))).toEqual([]);
    const beginnings =
      /^(#{1,4} \S|\| |- (Version|Starts on|Events|Signals|Activities|Commands|Sagas)|Version |Handled|Made upon|Its schema|$)/u;
    // The rest are descriptions, which are paragraphs.
    const others = new Set(lines.filter((line) => !beginnings.test(line)));
    expect(others).toEqual(
      new Set([...hostileNames, hostileNames.join(' ')].map(plainText).filter((text) => text !== '')),
    );
  });
});

test.each([
  ['order', '`order`'],
  ['a b', '`a b`'],
  ['a|b', 'a\\|b'],
  ['a`b', 'a\\`b'],
  ['', '(no name)'],
  [' ', '(no name)'],
  ['a\nb', 'a b'],
])('the name %j is written %s', (name, expected) => {
  expect(codeText(name)).toBe(expected);
});

test.each([
  ['1. first', '1\\. first'],
  ['- item', '\\- item'],
  ['1.2.0', '1.2.0'],
  ['+ item', '\\+ item'],
  ['# head', '\\# head'],
  ['> said', '\\> said'],
  ['*a* [b](c) <d> &amp;', '\\*a\\* \\[b\\](c) &lt;d> &amp;amp;'],
  ['a\r\n\u2028b\u0000', 'a b'],
])('the text %j is written %s', (text, expected) => {
  expect(plainText(text)).toBe(expected);
});
