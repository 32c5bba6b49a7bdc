/** How one slot of a build stands, and what an operator wants of whoever works on it. */
import type { Json } from '../event/json.ts';
import type { Position } from '../store/port.ts';
import type { StateCommit } from '../store/state-port.ts';
import { consumersCollection } from './control.ts';
import type { Control } from './control.ts';
import type { Failure } from './notice.ts';

/** What an operator asks for; `actor` is who does. */
export type SlotRequest =
  | { readonly kind: 'retry'; readonly actor?: string | undefined }
  /** Go on behind the event at which it stands. */
  | {
      readonly kind: 'skip';
      readonly position: Position;
      readonly reason: string;
      readonly actor?: string | undefined;
    }
  /** Deal with what is parked: of one key, or of all. */
  | { readonly kind: 'unpark'; readonly key?: string | undefined; readonly actor?: string | undefined };

export interface Skipped {
  readonly position: Position;
  readonly reason: string;
  readonly actor?: string | undefined;
  readonly at: number;
}

export interface SlotState {
  /** Whether it has been up to date once. */
  readonly caughtUp: boolean;
  /** Why it stands still. */
  readonly fault?: Failure | undefined;
  readonly requests: readonly SlotRequest[];
  /** The last 100. */
  readonly skipped: readonly Skipped[];
}

const untouched: SlotState = { caughtUp: false, requests: [], skipped: [] };

export async function slotStates(control: Control, slots: readonly string[]): Promise<readonly SlotState[]> {
  const kept = await control.getAll(slots);
  return kept.map((one) => (one?.value as unknown as SlotState | undefined) ?? untouched);
}

/**
 * Changes how a slot stands; undefined leaves it as it is. What is to be committed with it goes along.
 * @returns whether it was committed; if not, something of `along` was not as expected.
 */
export async function changeSlot(
  control: Control,
  slot: string,
  make: (state: SlotState) => SlotState | undefined,
  along: StateCommit = {},
): Promise<boolean> {
  for (;;) {
    const kept = await control.get(slot);
    const next = make((kept?.value as unknown as SlotState | undefined) ?? untouched);
    if (next === undefined) return true;
    const value = JSON.parse(JSON.stringify(next)) as Json;
    const put = { collection: consumersCollection, key: slot, value, ifRevision: kept?.revision ?? 0 };
    if (await control.change({ ...along, puts: [...(along.puts ?? []), put] })) return true;
    const now = await control.get(slot);
    if (now?.revision === kept?.revision) return false;
  }
}
