import type { ByteString } from './byte-string.ts';

/** The escapes of C that git uses; every other control character is written in octal. */
const escapes: Readonly<Record<ByteString, string>> = {
  '\x07': '\\a',
  '\b': '\\b',
  '\t': '\\t',
  '\n': '\\n',
  '\v': '\\v',
  '\f': '\\f',
  '\r': '\\r',
  '"': '\\"',
  '\\': '\\\\',
};
const specialPattern = /[\x00-\x1f"\\\x7f]/g;
const specialOrHighPattern = /[\x00-\x1f"\\\x7f-\xff]/g;

/**
 * A path as git prints it: in double quotes and with escapes if it holds a quote, a backslash or a control character;
 * also, unless core.quotePath is false, if it holds a byte above 0x7f. (`quote_c_style` in git's quote.c)
 */
export function quotePath(path: ByteString, escapeHighBytes: boolean): ByteString {
  const pattern = escapeHighBytes ? specialOrHighPattern : specialPattern;
  if (path.search(pattern) === -1) return path;
  return `"${path.replace(pattern, (byte) => escapes[byte] ?? octal(byte))}"`;
}

function octal(byte: ByteString): string {
  return `\\${byte.charCodeAt(0).toString(8).padStart(3, '0')}`;
}
