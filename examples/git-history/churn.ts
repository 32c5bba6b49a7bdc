/** What the views are asked. */
import type { FindQuery, ReadOptions, View } from 'eventsrc';
import type { ByteString } from './byte-string.ts';
import { fromText } from './byte-string.ts';
import { readCaughtUp } from './catch-up.ts';
import type { CatchUpOptions } from './catch-up.ts';
import type { HistoryLog } from './events.ts';
import { authorChurn, authors, noChanges, pathChurn } from './history-views.ts';
import type { AuthorDocument, Counts, PathChurnDocument } from './history-views.ts';

export interface AuthorCounts extends Counts {
  readonly author: string;
}

const pageMax = 10_000;

/** The paths that were changed most, most first; of those that begin with `prefix`. */
export function churnByPath(
  log: HistoryLog,
  { prefix, top }: { readonly prefix: string; readonly top: number },
  options?: CatchUpOptions,
): Promise<readonly PathChurnDocument[]> {
  const query = { where: startsWith(prefix), orderBy: { changes: 'desc', path: 'asc' } } as const;
  return readCaughtUp(log, pathChurn, (view, bound) => firstOf(documentsOf(view, query, bound), top), options);
}

/** Who changed most, most first, of paths that begin with `prefix`. */
export function churnByAuthor(
  log: HistoryLog,
  { prefix, top }: { readonly prefix: string; readonly top: number },
  options?: CatchUpOptions,
): Promise<readonly AuthorCounts[]> {
  return readCaughtUp(
    log,
    authorChurn,
    async (view, bound) => {
      const sums = new Map<string, AuthorCounts>();
      for await (const document of documentsOf(view, { where: startsWith(prefix) }, bound)) {
        const { author } = document;
        sums.set(author, { author, ...sum(sums.get(author) ?? noChanges, document) });
      }
      return [...sums.values()].sort((a, b) => b.changes - a.changes || compare(a.author, b.author)).slice(0, top);
    },
    options,
  );
}

/** The authors with most commits, most first. */
export function topAuthors(
  log: HistoryLog,
  { top }: { readonly top: number },
  options?: CatchUpOptions,
): Promise<readonly AuthorDocument[]> {
  const query = { orderBy: { commits: 'desc', author: 'asc' } } as const;
  return readCaughtUp(log, authors, (view, bound) => firstOf(documentsOf(view, query, bound), top), options);
}

/** With an empty prefix no condition, so that the view is read in the order of its index. */
function startsWith(prefix: string): { readonly path?: { readonly startsWith: ByteString } } {
  return prefix === '' ? {} : { path: { startsWith: fromText(prefix) } };
}

/** All that a query finds, page by page. */
async function* documentsOf<Document>(
  view: View<Document>,
  query: Omit<FindQuery<Document>, 'limit' | 'after'>,
  bound: ReadOptions,
): AsyncGenerator<Document> {
  let next: string | undefined;
  do {
    const page = await view.findPage({ ...query, limit: pageMax, ...(next !== undefined && { after: next }) }, bound);
    for (const { document } of page.documents) yield document;
    ({ next } = page);
  } while (next !== undefined);
}

async function firstOf<Document>(documents: AsyncIterable<Document>, count: number): Promise<readonly Document[]> {
  const first: Document[] = [];
  for await (const document of documents) {
    first.push(document);
    if (first.length === count) break;
  }
  return first;
}

function sum(a: Counts, b: Counts): Counts {
  return {
    changes: a.changes + b.changes,
    added: a.added + b.added,
    modified: a.modified + b.modified,
    deleted: a.deleted + b.deleted,
  };
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
