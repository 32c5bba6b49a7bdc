/** Pieces of Markdown (GitHub's: https://github.github.com/gfm/) that hold whatever text they are given. */

/** Text that says nothing in Markdown, on one line. */
export function plainText(text: string): string {
  return (
    onOneLine(text)
      .replaceAll(/[\\`*_{}[\]#|~$!]/gu, '\\$&')
      .replaceAll('&', '&amp;')
      .replaceAll('<', '&lt;')
      // What would begin a list or a quotation, or underline what is above, at the beginning of a line.
      .replace(/^[-+=:>]/u, '\\$&')
      .replace(/^(\d+)([.)])(?= |$)/u, '$1\\$2')
  );
}

/** A name, as code where code can hold it: between backticks nothing can be escaped. */
export function codeText(name: string): string {
  const isPlain = name === onOneLine(name) && !/[`|\\]/u.test(name);
  if (plainText(name) === '') return '(no name)';
  return isPlain ? `\`${name}\`` : plainText(name);
}

export function codeList(names: readonly string[]): string {
  return names.map(codeText).join(', ');
}

/** @param rows of cells that are Markdown already. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

function onOneLine(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, ' ').trim();
}
