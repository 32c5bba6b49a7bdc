/** What is told of snapshots. */
import { describe } from '../ground/errors.ts';

/** Why a snapshot is not believed. */
export type Distrust =
  /** It is not what was written, or can't be read. */
  | 'damaged'
  /** It is listed, and not there. */
  | 'missing'
  /** The event that it is of is not the one that the stream has there. */
  | 'foreign'
  /** It is of more events than the stream has. */
  | 'future'
  /** Folding the events anew leads to another state. */
  | 'mismatch';

export type SnapshotNotice = { readonly aggregate: string } & (
  | { readonly kind: 'written'; readonly stream: string; readonly version: number; readonly bytes: number }
  /** One that is not believed: an older one is used, or none. */
  | { readonly kind: 'skipped'; readonly stream: string; readonly version: number; readonly reason: Distrust }
  /** Folding the events anew leads to another state than was kept; `path` is the first field that differs. */
  | {
      readonly kind: 'mismatch';
      readonly stream: string;
      readonly version: number;
      readonly path: string;
      readonly kept: unknown;
      readonly refolded: unknown;
    }
  /** The code makes other states of the same events than the code that wrote the snapshots, under the same snapshotVersion. */
  | {
      readonly kind: 'code_changed';
      readonly snapshotVersion: number;
      readonly stream: string;
      readonly version: number;
    }
  /** A state that cannot be kept. One that JSON cannot carry is told of once for its aggregate. */
  | { readonly kind: 'unsupported'; readonly stream: string; readonly reason: string }
  /** They could not be read or written: what is loaded is folded from its first event, commands go on. */
  | { readonly kind: 'failed'; readonly action: 'read' | 'write'; readonly error: unknown }
);

export type SnapshotNoticeTaker = (notice: SnapshotNotice) => void;

/** What a person is to be told where nobody listens; undefined for what is no trouble. */
export function snapshotWarningOf(notice: SnapshotNotice): string | undefined {
  const { aggregate } = notice;
  switch (notice.kind) {
    case 'skipped':
      return `The snapshot of ${notice.stream} at version ${notice.version} is ${distrustTexts[notice.reason]}: it is not used.`;
    case 'mismatch':
      return `The snapshot of ${notice.stream} at version ${notice.version} is not what its events lead to, first in ${notice.path || 'all of it'}: it is not used. If evolve was changed, raise snapshotVersion.`;
    case 'code_changed':
      return `${aggregate} makes another state of ${notice.stream} at version ${notice.version} than the code that wrote its snapshots: these are not used. Raise its snapshotVersion.`;
    case 'unsupported':
      return `The state of ${notice.stream} is not kept as a snapshot: ${notice.reason}`;
    case 'failed':
      return `Snapshots of ${aggregate} could not be ${notice.action === 'read' ? 'read' : 'written'}: ${describe(notice.error)}`;
    default:
      return undefined;
  }
}

/** In the words of a person: a snapshot that is … */
export const distrustTexts: Readonly<Record<Distrust, string>> = {
  damaged: 'damaged',
  missing: 'missing',
  foreign: 'of another history',
  future: 'of more events than there are',
  mismatch: 'not what its events lead to',
};
