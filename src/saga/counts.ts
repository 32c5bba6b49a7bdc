import { hasCode } from '../ground/errors.ts';
import type { StateStore } from '../store/state-port.ts';

/** How many instances there have ever been. */
export interface Counts {
  readonly started: number;
  readonly completed: number;
  readonly compensated: number;
}

/** By slot of a saga. */
export const countsCollection = 'sagas/counts';

const none: Counts = { started: 0, completed: 0, compensated: 0 };

export async function countOf(state: StateStore, slot: string): Promise<Counts> {
  const [found] = await state.get(countsCollection, [slot]);
  return (found?.value as unknown as Counts | undefined) ?? none;
}

/** Of one saga; none where nobody has ever worked on any. @param prefix with which the names of its slots begin. */
export async function countAll(state: StateStore, prefix = ''): Promise<Counts> {
  try {
    return await sumOf(state, prefix);
  } catch (error) {
    if (hasCode(error, 'collection_unknown')) return none;
    throw error;
  }
}

async function sumOf(state: StateStore, prefix: string): Promise<Counts> {
  let sum = none;
  let after: string | undefined;
  do {
    const page = await state.find(countsCollection, { where: { kind: 'all', of: [] }, orderBy: [], after, limit: 500 });
    for (const { key, value } of page.documents) {
      if (!key.startsWith(prefix)) continue;
      const one = value as unknown as Counts;
      sum = {
        started: sum.started + one.started,
        completed: sum.completed + one.completed,
        compensated: sum.compensated + one.compensated,
      };
    }
    after = page.next;
  } while (after !== undefined);
  return sum;
}
