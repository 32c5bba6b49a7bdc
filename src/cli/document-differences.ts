import { changesBetween } from '../event/differences.ts';
import type { Difference } from '../projection/compare.ts';

/** What a field was and is, as JSON; nothing where it is not there. */
export interface FieldDifference {
  readonly key: string;
  /** Its path; nothing where the whole document is meant. */
  readonly field: string;
  readonly before: string;
  readonly after: string;
}

/** The fields in which two documents of one key differ, also those of objects inside. */
export function fieldDifferences({ key, before, after }: Difference): readonly FieldDifference[] {
  return changesBetween(before, after).map((change) => ({
    key,
    field: change.path,
    before: textOf(change.before),
    after: textOf(change.after),
  }));
}

function textOf(value: unknown): string {
  return value === undefined ? '' : JSON.stringify(value);
}
