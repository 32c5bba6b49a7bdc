import type { Line } from './lines.ts';

/** Where imported lines go. */
export interface Sink {
  add(line: Line): Promise<void>;
  /** Resolves when everything that was added is on disk. */
  end(): Promise<void>;
  readonly imported: number;
  /** Were there already. */
  readonly skipped: number;
}
