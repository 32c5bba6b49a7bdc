/** Values of states and documents, on one line or laid out. */
import stringWidth from 'string-width';
import { pathStep } from '../event/json.ts';
import { jsonText } from './json-text.ts';
import { printable } from './printable.ts';
import { fitted } from './table.ts';
import type { Terminal } from './terminal.ts';

export function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** What is laid out part by part; all else, also a list of nothing but words and numbers, is shown on one line. */
function partsOf(value: unknown): readonly (readonly [name: string | number, part: unknown])[] | undefined {
  if (Array.isArray(value)) {
    const isFlat = value.every((part) => typeof part !== 'object' || part === null);
    return isFlat ? undefined : [...value.entries()];
  }
  if (!isPlainObject(value)) return undefined;
  const entries = Object.entries(value);
  return entries.length === 0 ? undefined : entries;
}

/** Laid out for a person: a field a line, what is nested further in. */
export function layOut(terminal: Terminal, value: unknown): readonly string[] {
  const parts = partsOf(value);
  if (parts === undefined) return [styled(terminal, value)];
  const isList = Array.isArray(value);
  const names = parts.map(([name]) => printable(isList ? `[${name}]` : String(name)));
  const width = Math.max(
    ...parts.map(([, part], index) => (isList || !isNested(part) ? stringWidth(names[index] ?? '') : 0)),
  );
  return parts.flatMap(([, part], index) => {
    const name = names[index] ?? '';
    const lines = layOut(terminal, part);
    const title = terminal.style('dim', fitted(name, width));
    if (!isList && isNested(part)) return [terminal.style('dim', name), ...lines.map((line) => `  ${line}`)];
    return lines.map((line, row) => (row === 0 ? `${title}  ${line}` : `${' '.repeat(width)}  ${line}`));
  });
}

function isNested(value: unknown): boolean {
  return partsOf(value) !== undefined;
}

function styled(terminal: Terminal, value: unknown): string {
  const text = printable(jsonText(value));
  if (typeof value === 'string') return terminal.style('green', text);
  if (typeof value === 'number' || typeof value === 'bigint') return terminal.style('yellow', text);
  return typeof value === 'boolean' || value === null || value === undefined ? terminal.style('magenta', text) : text;
}

/** For programs that read lines: each field under its whole path. */
export function flatFields(name: string, value: unknown): Readonly<Record<string, unknown>> {
  const parts = partsOf(value);
  if (parts === undefined) return { [name]: value };
  return Object.assign({}, ...parts.map(([step, part]) => flatFields(name + pathStep(step), part))) as Readonly<
    Record<string, unknown>
  >;
}
