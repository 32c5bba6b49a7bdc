import { expect, test } from 'vitest';
import { label, yamlString } from '../../src/schema/mermaid-text.ts';

test.each([
  ['OrderPlaced', '"OrderPlaced"'],
  ['order_placed 1.2, (a/b) - c', '"order_placed 1.2, (a/b) - c"'],
  ['Größe 訂單', '"Größe 訂單"'],
  ['1. first', '"1#46; first"'],
  ['2) second', '"2#41; second"'],
  ['- item', '"#45; item"'],
  ['__proto__', '"#95;#95;proto#95;#95;"'],
  ['a"b`c', '"a#34;b#96;c"'],
  ['fa:fa-ban', '"fa#58;fa-ban"'],
  ['a\n\u2028b\u0000c', '"a b c"'],
  ['', '" "'],
  ['📦'.repeat(50), `"${'📦'.repeat(47)}…"`],
])('the label %j is written %s', (text, expected) => {
  expect(label(text)).toBe(expected);
});

test.each([
  ['Shop', '"Shop"'],
  ['a: "b"\nc', '"a: \\"b\\" c"'],
  ['<b> %%{x}', '"\\u003cb\\u003e \\u0025\\u0025{x}"'],
  ['\ud800', '"\ufffd"'],
])('the title %j is written %s', (text, expected) => {
  expect(yamlString(text)).toBe(expected);
});
