/** A history kept in a file, one commit per line, so that the example has something to import where there is no git. */
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import type { Change, Commit, HistorySource } from './history-source.ts';
import { pathFromData } from './path-names.ts';

const path = z.union([z.object({ path: z.string() }), z.object({ pathBase64: z.base64() })]);
const bundledChange = z.discriminatedUnion('kind', [
  z.object({ kind: z.enum(['added', 'modified']), at: path, mode: z.string(), oid: z.string() }),
  z.object({ kind: z.literal('deleted'), at: path }),
]);
const bundledCommit = z.object({
  id: z.string(),
  parent: z.string().nullable(),
  author: z.object({ name: z.string(), email: z.string() }),
  subject: z.string(),
  authoredAt: z.number().nullable(),
  committedAt: z.number().nullable(),
  changes: z.array(bundledChange),
});

/** A small history made from a real repository: a symlink, an executable, a rename, a merge, a name that is not ASCII. */
const bundledHistoryFile: URL = new URL('bundled-history.ndjson', import.meta.url);

export async function openBundledSource(file: URL = bundledHistoryFile): Promise<HistorySource> {
  const lines = (await readFile(file, 'utf8')).trimEnd().split('\n');
  return arraySource('the bundled history', lines.map(parseCommit));
}

/** A history that is in memory already, oldest commit first. */
export function arraySource(name: string, commits: readonly Commit[]): HistorySource {
  const countAfter = (id: string | null) => {
    const index = id === null ? -1 : commits.findIndex((commit) => commit.id === id);
    return id !== null && index === -1 ? undefined : commits.length - 1 - index;
  };
  return {
    name,
    tip: commits.at(-1)?.id ?? '',
    countAfter: async (id) => countAfter(id),
    async *commits(after) {
      yield* commits.slice(commits.length - (countAfter(after) ?? 0));
    },
  };
}

function parseCommit(line: string): Commit {
  const { changes, ...header } = bundledCommit.parse(JSON.parse(line));
  return { ...header, changes: changes.map(({ at, ...change }): Change => ({ ...change, path: pathFromData(at) })) };
}
