/** What changed, field by field: `balance  0 → 50`. */
import stringWidth from 'string-width';
import { changesBetween } from '../event/differences.ts';
import type { FieldChange } from '../event/differences.ts';
import { jsonText } from './json-text.ts';
import { printable } from './printable.ts';
import { cutTo, fitted } from './table.ts';
import type { Terminal } from './terminal.ts';
import { isPlainObject } from './value-text.ts';

/** What is shown where there is nothing. */
const nothing = '–';
const pathWidthMax = 32;

/** What came into being, or went, as its fields. */
export function* expanded(changes: readonly FieldChange[]): Generator<FieldChange> {
  for (const change of changes) {
    const { path, before, after } = change;
    const isWhole = path === '' && (before === undefined || after === undefined);
    const fields = isWhole && (isPlainObject(before) || isPlainObject(after));
    if (fields) yield* changesBetween(before ?? {}, after ?? {});
    else yield change;
  }
}

export function changesText(changes: readonly FieldChange[]): string {
  return [...expanded(changes)]
    .map(({ path, before, after }) => `${path === '' ? '' : `${path}: `}${valueOf(before)} → ${valueOf(after)}`)
    .join('; ');
}

/** A field a line, in columns, cut to the terminal. */
export function changeLines(
  terminal: Terminal,
  changes: readonly FieldChange[],
  indent: string,
  titles?: { readonly before: string; readonly after: string },
): readonly string[] {
  const rows = [...expanded(changes)].map(({ path, before, after }) => ({
    path: printable(path === '' ? 'all of it' : path),
    before: printable(valueOf(before)),
    after: printable(valueOf(after)),
  }));
  const widest = (texts: readonly string[], max: number) =>
    Math.min(max, Math.max(0, ...texts.map((text) => stringWidth(text))));
  const pathWidth = widest(
    rows.map(({ path }) => path),
    pathWidthMax,
  );
  const left = Math.max(12, terminal.width - indent.length - pathWidth - 5);
  const beforeWidth = widest([titles?.before ?? '', ...rows.map(({ before }) => before)], Math.floor(left / 2));
  const lines = rows.map(({ path, before, after }) => {
    const was = terminal.style(before === nothing ? 'dim' : 'red', fitted(before, beforeWidth));
    const is = terminal.style(after === nothing ? 'dim' : 'green', cutTo(after, left - beforeWidth));
    return `${indent}${fitted(path, pathWidth)}  ${was} ${terminal.style('dim', '→')} ${is}`;
  });
  if (titles === undefined) return lines;
  const head = `${indent}${' '.repeat(pathWidth)}  ${fitted(titles.before, beforeWidth)}   ${titles.after}`;
  return [terminal.style('dim', head.trimEnd()), ...lines];
}

function valueOf(value: unknown): string {
  return value === undefined ? nothing : jsonText(value);
}
