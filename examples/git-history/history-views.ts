/** What is asked of a history again and again, kept as views: pure folds of the recorded events into documents. */
import { hash } from 'node:crypto';
import { defineProjection } from 'eventsrc';
import type { InferDocument } from 'eventsrc';
import { commit, file } from './aggregates.ts';
import type { ByteString } from './byte-string.ts';
import { pathFromData } from './path-names.ts';

/** How often something was changed, and how. A renamed file is deleted under one path and added under another. */
export interface Counts {
  readonly changes: number;
  readonly added: number;
  readonly modified: number;
  readonly deleted: number;
}

export const noChanges: Counts = { changes: 0, added: 0, modified: 0, deleted: 0 };

function counted<Counted extends Counts>(counts: Counted, kind: Exclude<keyof Counts, 'changes'>): Counted {
  return { ...counts, changes: counts.changes + 1, [kind]: counts[kind] + 1 };
}

interface PathChurn extends Counts {
  /** As bytes, so that any beginning of it can be asked for, whatever its encoding. */
  readonly path: ByteString;
}

/** A document for each path. */
export const pathChurn = defineProjection({
  name: 'path_churn',
  from: [file],
  key: ({ aggregateId }) => aggregateId,
  initial: (): PathChurn => ({ path: '', ...noChanges }),
  // The most changed first; and those of a folder.
  indexes: [['changes', 'path'], 'path'],
  on: {
    FileAdded: (churn, { data }) => counted({ ...churn, path: pathFromData(data) }, 'added'),
    FileModified: (churn, { data }) => counted({ ...churn, path: pathFromData(data) }, 'modified'),
    FileDeleted: (churn, { data }) => counted({ ...churn, path: pathFromData(data) }, 'deleted'),
  },
});

interface AuthorChurn extends PathChurn {
  /** `Ada <ada@example.org>` */
  readonly author: string;
}

/** A document for each author of each path: those of a folder are added up when they are asked for. */
export const authorChurn = defineProjection({
  name: 'author_churn',
  from: [file],
  key: ({ metadata, aggregateId }) => documentKey(`${authorIn(metadata)}\n${aggregateId}`),
  initial: (): AuthorChurn => ({ author: '', path: '', ...noChanges }),
  indexes: ['path'],
  on: {
    FileAdded: (churn, { data, metadata }) => counted(authored(churn, metadata, pathFromData(data)), 'added'),
    FileModified: (churn, { data, metadata }) => counted(authored(churn, metadata, pathFromData(data)), 'modified'),
    FileDeleted: (churn, { data, metadata }) => counted(authored(churn, metadata, pathFromData(data)), 'deleted'),
  },
});

function authored(churn: AuthorChurn, metadata: Metadata, path: ByteString): AuthorChurn {
  return { ...churn, author: authorIn(metadata), path };
}

interface Metadata {
  readonly actor?: string;
}

/** The importer names the author of every change; whoever else has written to the store need not have. */
function authorIn({ actor = 'unknown' }: Metadata): string {
  return actor;
}

/** A commit in the life of an author. */
interface Mark {
  readonly commit: string;
  /** Milliseconds since the epoch; null where the commit holds no valid time. */
  readonly authoredAt: number | null;
}

interface Author {
  /** `Ada <ada@example.org>`: who has two addresses is two authors, as git has it without a .mailmap. */
  readonly author: string;
  readonly commits: number;
  /** Of paths, in all of these commits. */
  readonly changes: number;
  /** In the order of the history: the dates of commits may be in another. */
  readonly first: Mark | null;
  readonly last: Mark | null;
}

/** A document for each author. */
export const authors = defineProjection({
  name: 'authors',
  from: [commit],
  key: ({ metadata }) => documentKey(authorIn(metadata)),
  initial: (): Author => ({ author: '', commits: 0, changes: 0, first: null, last: null }),
  indexes: [['commits', 'author']],
  on: {
    CommitRecorded: (known, { data, metadata }) => {
      const mark = { commit: data.commit, authoredAt: data.authoredAt };
      return {
        author: authorIn(metadata),
        commits: known.commits + 1,
        changes: known.changes + data.changes,
        first: known.first ?? mark,
        last: mark,
      };
    },
  },
});

export type PathChurnDocument = InferDocument<typeof pathChurn>;
export type AuthorDocument = InferDocument<typeof authors>;

/** Bytes of UTF-8 that eventsrc allows in the key of a document. */
const keyBytesMax = 1_536;

/** The text itself, or, where it is too long for a key, its digest: that has no `<` and no newline, as these texts have. */
function documentKey(text: string): string {
  return Buffer.byteLength(text) <= keyBytesMax ? text : `sha256:${hash('sha256', text)}`;
}
