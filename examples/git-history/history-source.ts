import type { ByteString } from './byte-string.ts';

/** What a commit did to one path. A change of type (a file became a symlink, say) is `modified`. */
export type Change =
  | { readonly kind: 'added' | 'modified'; readonly path: ByteString; readonly mode: string; readonly oid: string }
  | { readonly kind: 'deleted'; readonly path: ByteString };

interface Author {
  readonly name: string;
  readonly email: string;
}

export interface Commit {
  /** In full: 40 hexadecimal digits, or 64 in a repository that uses SHA-256. */
  readonly id: string;
  /** The commit before it in the first-parent history; null for the first. */
  readonly parent: string | null;
  readonly author: Author;
  /** The first paragraph of the message, on one line. */
  readonly subject: string;
  /** Milliseconds since the epoch; null where the commit holds no valid time. */
  readonly authoredAt: number | null;
  readonly committedAt: number | null;
  /** Against `parent`, each path at most once; none for an empty commit. */
  readonly changes: readonly Change[];
}

/** A first-parent history to import: a git repository, or a file that was made from one. */
export interface HistorySource {
  /** For messages, for example the folder of the repository. */
  readonly name: string;
  /** The id of the newest commit. */
  readonly tip: string;
  /** Whether the repository's owner wants bytes above 0x7f in paths escaped; undefined where that is not known. */
  readonly quotePath?: boolean | undefined;

  /** How many commits follow this one (null: how many there are in all), or undefined if it is not part of the history. */
  countAfter(commit: string | null): Promise<number | undefined>;

  /** The commits that follow this one (null: all of them), oldest first. Ends early, without an error, when aborted. */
  commits(after: string | null, signal?: AbortSignal): AsyncIterable<Commit>;
}
