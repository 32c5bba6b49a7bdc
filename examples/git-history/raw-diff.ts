import { fromBytes } from './byte-string.ts';
import type { ByteString } from './byte-string.ts';
import type { Change } from './history-source.ts';

/** What `git diff-tree` says of one commit. */
export interface CommitDiff {
  readonly id: string;
  readonly changes: readonly Change[];
}

const idPattern = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;
const metaPattern = /^:[0-7]{6} ([0-7]{6}) [0-9a-f]+ ([0-9a-f]+) ([ADMT])$/;

/**
 * Reads what `git diff-tree --stdin -z --raw --always` prints, cut at its NULs: for each commit its id, then for each
 * change `:<old mode> <new mode> <old id> <new id> <status>` and the path. A commit is only passed on when the next one
 * begins or the records end, so a stream that breaks off with an error never yields half a commit.
 */
export async function* parseRawDiff(records: AsyncIterable<Buffer>): AsyncGenerator<CommitDiff> {
  let current: { readonly id: string; readonly changes: Change[] } | undefined;
  let meta: ByteString | undefined;
  for await (const record of records) {
    const text = fromBytes(record);
    if (meta !== undefined) {
      current?.changes.push(toChange(meta, text));
      meta = undefined;
    } else if (current !== undefined && text.startsWith(':')) {
      meta = text;
    } else if (idPattern.test(text)) {
      if (current !== undefined) yield current;
      current = { id: text, changes: [] };
    } else {
      throw notUnderstood(text);
    }
  }
  if (meta !== undefined) throw notUnderstood(meta);
  if (current !== undefined) yield current;
}

function toChange(meta: ByteString, path: ByteString): Change {
  const [, mode, oid, status] = metaPattern.exec(meta) ?? [];
  if (mode === undefined || oid === undefined) throw notUnderstood(meta);
  if (status === 'D') return { kind: 'deleted', path };
  return { kind: status === 'A' ? 'added' : 'modified', path, mode, oid };
}

function notUnderstood(text: string): Error {
  return new Error(`git diff-tree printed ${JSON.stringify(text.slice(0, 100))}, which is not understood`);
}
