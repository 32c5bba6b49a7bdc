/** What the views say, for people (a table) and for programs (JSON). */
import type { ByteString } from './byte-string.ts';
import { bytesOf, fromText } from './byte-string.ts';
import type { AuthorCounts } from './churn.ts';
import type { AuthorDocument, Counts, PathChurnDocument } from './history-views.ts';
import { pathToData } from './path-names.ts';
import { printable, printableDate } from './printable.ts';
import { quotePath } from './quote-path.ts';

/** One thing per row, after figures; as bytes, since paths are bytes. */
interface Table {
  readonly figures: readonly string[];
  readonly thing: string;
  readonly rows: readonly { readonly figures: readonly (string | number)[]; readonly thing: ByteString }[];
}

const countNames = ['changes', 'added', 'modified', 'deleted'] as const satisfies (keyof Counts)[];

/** @param escapeHighBytes whether paths are printed as git does where core.quotePath is true. */
export function pathChurnTable(churn: readonly PathChurnDocument[], escapeHighBytes: boolean): Buffer {
  const rows = churn.map(({ path, ...counts }) => ({
    figures: figuresOf(counts),
    thing: quotePath(path, escapeHighBytes),
  }));
  return format({ figures: countNames, thing: 'path', rows });
}

export function authorChurnTable(churn: readonly AuthorCounts[]): Buffer {
  const rows = churn.map(({ author, ...counts }) => ({
    figures: figuresOf(counts),
    thing: fromText(printable(author)),
  }));
  return format({ figures: countNames, thing: 'author', rows });
}

export function authorsTable(authors: readonly AuthorDocument[]): Buffer {
  const rows = authors.map(({ author, commits, changes, first, last }) => ({
    figures: [commits, changes, markText(first), markText(last)],
    thing: fromText(printable(author)),
  }));
  return format({ figures: ['commits', 'changes', 'first', 'last'], thing: 'author', rows });
}

/** A path that is not valid UTF-8 is there as `pathBase64`, as in events. */
export function pathChurnJson(churn: readonly PathChurnDocument[]): string {
  return toJson(churn.map(({ path, ...counts }) => ({ ...pathToData(path), ...counts })));
}

export function toJson(rows: readonly object[]): string {
  return `${JSON.stringify(rows)}\n`;
}

function figuresOf(counts: Counts): readonly number[] {
  return countNames.map((name) => counts[name]);
}

function markText(mark: AuthorDocument['first']): string {
  if (mark === null) return '';
  return `${printableDate(mark.authoredAt)} ${mark.commit.slice(0, 10)}`;
}

function format({ figures, thing, rows }: Table): Buffer {
  const lines = [{ figures, thing }, ...rows];
  const widths = figures.map((_, column) =>
    lines.reduce((width, row) => Math.max(width, String(row.figures[column]).length), 0),
  );
  return bytesOf(
    lines
      .map((row) => {
        const cells = row.figures.map((figure, column) => String(figure).padStart(widths[column] ?? 0));
        return `${[...cells, row.thing].join('  ')}\n`;
      })
      .join(''),
  );
}
