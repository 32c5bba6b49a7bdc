/** Text in Mermaid diagrams (https://mermaid.js.org/syntax/flowchart.html#entity-codes-to-escape-characters). */

/** Longer labels are cut: a diagram is to be looked at. */
const labelCharactersMax = 48;

/**
 * A label in quotes. What could be syntax, Markdown, HTML or an icon is written as its code; so is the colon, behind which Mermaid takes
 * anything on a line with the word `style` for a style.
 */
export function label(text: string): string {
  const characters = [...text.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, ' ').trim()];
  const shown =
    characters.length <= labelCharactersMax ? characters : [...characters.slice(0, labelCharactersMax - 1), '…'];
  return `"${shown.join('').replaceAll(/[^\p{L}\p{N}\p{M} .,()/…-]|^\p{N}+[.)]|^-/gu, coded) || ' '}"`;
}

/** An underscore inside of a word is none of Markdown's; anything beyond ASCII is no syntax. */
function coded(found: string, offset: number, whole: string): string {
  if (found === '_' && /[^\W_]/.test(whole[offset - 1] ?? '') && /[^\W_]/.test(whole[offset + 1] ?? '')) return found;
  return [...found].map((one) => (/[^\p{ASCII}]|[\dA-Za-z]/u.test(one) ? one : `#${one.codePointAt(0)};`)).join('');
}

/** A string in the YAML at the beginning of a diagram: JSON, with no tags that Mermaid would look into. */
export function yamlString(text: string): string {
  const escape = (found: string) => `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return JSON.stringify(text.replaceAll(/\s+/gu, ' ').trim().toWellFormed()).replaceAll(
    /[<>%\u007F-\u009F\u2028\u2029]/gu,
    escape,
  );
}
