/** JSON of others, where numbers may be larger than JavaScript's. */

/** Integers up to 2^53 have at most sixteen digits. */
const longNumber = /\d{16}/;
const integer = /^-?\d+$/;

/**
 * As `JSON.parse`, but an integer that would become another is refused: an id that was rounded is another's.
 * @throws {SyntaxError}
 */
export function parseExactly(text: string): unknown {
  // Looking at every value takes several times as long as parsing.
  if (!longNumber.test(text)) return JSON.parse(text);
  return JSON.parse(text, (_, value: unknown, context?: { readonly source?: string }) => {
    const source = context?.source ?? '';
    if (typeof value === 'number' && integer.test(source) && BigInt(source) !== BigInt(value))
      throw new SyntaxError(`the integer ${source} would become ${value}: write it as a string`);
    return value;
  });
}
