import { describe, expect, test } from 'vitest';
import { fromText } from '../../examples/git-history/byte-string.ts';
import { quotePath } from '../../examples/git-history/quote-path.ts';

describe('a path is printed as git prints it', () => {
  test.each([
    ['README.md', 'README.md'],
    ["it's a *.ts, $HOME: ~%", "it's a *.ts, $HOME: ~%"],
    ['say "hi"', String.raw`"say \"hi\""`],
    ['back\\slash', String.raw`"back\\slash"`],
    ['\x07\b\t\n\v\f\r', String.raw`"\a\b\t\n\v\f\r"`],
    ['\x01 \x1b \x1f \x7f', String.raw`"\001 \033 \037 \177"`],
    ['é', String.raw`"\303\251"`],
    ['🍅', String.raw`"\360\237\215\205"`],
  ])('%j as %s', (path, expected) => {
    expect(quotePath(fromText(path), true)).toBe(expected);
  });

  test.each([
    ['é 🍅', 'é 🍅'],
    ['"é"', String.raw`"\"é\""`],
    ['é\x7f', String.raw`"é\177"`],
  ])('%j as %s, where core.quotePath is false', (path, expected) => {
    expect(quotePath(fromText(path), false)).toBe(fromText(expected));
  });
});
