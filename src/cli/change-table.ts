import type { FieldChange } from '../event/differences.ts';
import { jsonText } from './json-text.ts';
import { Table } from './table.ts';
import type { Terminal } from './terminal.ts';

export interface ChangeRow extends FieldChange {
  /** Of the document, where there are several. */
  readonly key?: string;
}

interface Titles {
  readonly before: string;
  readonly after: string;
  /** Absent where there is only one thing that changes. */
  readonly key?: string;
}

/** Changes for programs that read lines; nothing where a field is not there. */
export function changeTable(
  terminal: Terminal,
  { before, after, key }: Titles = { before: 'before', after: 'after' },
): Table<ChangeRow> {
  const textOf = (value: unknown) => (value === undefined ? '' : jsonText(value));
  return new Table<ChangeRow>(terminal, [
    ...(key === undefined ? [] : [{ title: key, value: (row: ChangeRow) => row.key ?? '' }]),
    { title: 'field', value: ({ path }) => path },
    { title: before, value: (change) => textOf(change.before) },
    { title: after, value: (change) => textOf(change.after) },
  ]);
}
