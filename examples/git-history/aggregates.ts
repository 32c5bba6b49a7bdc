/**
 * What a history consists of: paths and commits, each with a stream of its own. Nothing is asked of them, as git has decided
 * already, so they have no commands; declared as aggregates, what happened to them can be projected (history-views.ts).
 */
import { defineAggregate } from 'eventsrc';
import { z } from 'zod';

const oid = z.string().regex(/^([0-9a-f]{40}|[0-9a-f]{64})$/);
const mode = z.string().regex(/^[0-7]{6}$/);
/** See path-names.ts. */
const path = { path: z.string() };
const pathBase64 = { pathBase64: z.base64() };
const entry = z.union([z.strictObject({ ...path, mode, oid }), z.strictObject({ ...pathBase64, mode, oid })]);
const time = z.int().nullable();

/** A path; its id is made by path-names.ts. */
export const file = defineAggregate({
  name: 'file',
  events: {
    FileAdded: entry,
    FileModified: entry,
    FileDeleted: z.union([z.strictObject(path), z.strictObject(pathBase64)]),
  },
  initialState: { isThere: false },
  evolve: {
    FileAdded: () => ({ isThere: true }),
    FileModified: () => ({ isThere: true }),
    FileDeleted: () => ({ isThere: false }),
  },
  commands: {},
});

/** A commit; its id is git's. */
export const commit = defineAggregate({
  name: 'commit',
  events: {
    /** It is the last event of its append: the tree as of its position is the commit's tree. */
    CommitRecorded: z.strictObject({
      commit: oid,
      parent: oid.nullable(),
      author: z.strictObject({ name: z.string(), email: z.string() }),
      subject: z.string(),
      /** Milliseconds since the epoch. */
      authoredAt: time,
      committedAt: time,
      /** How many paths the commit changed. */
      changes: z.int(),
    }),
  },
  initialState: { isRecorded: false },
  evolve: { CommitRecorded: () => ({ isRecorded: true }) },
  commands: {},
});
