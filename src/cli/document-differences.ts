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
  return [...differencesIn('', before, after)].map(([field, was, is]) => ({
    key,
    field,
    before: textOf(was),
    after: textOf(is),
  }));
}

function* differencesIn(path: string, before: unknown, after: unknown): Generator<readonly [string, unknown, unknown]> {
  if (!isObject(before) || !isObject(after)) {
    if (textOf(before) !== textOf(after)) yield [path, before, after];
    return;
  }
  for (const name of new Set([...Object.keys(before), ...Object.keys(after)]))
    yield* differencesIn(path === '' ? name : `${path}.${name}`, before[name], after[name]);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function textOf(value: unknown): string {
  return value === undefined ? '' : JSON.stringify(value);
}
