import type { Position } from '../store/port.ts';
import type { StateStore } from '../store/state-port.ts';

/** Where a checkpoint stands; 0 if it is not there yet. */
export async function checkpointAt(state: StateStore, name: string): Promise<Position> {
  // The port lists by beginnings, and others may begin as this one does.
  const found = await state.checkpoints(name);
  return found.find((checkpoint) => checkpoint.name === name)?.position ?? 0;
}
