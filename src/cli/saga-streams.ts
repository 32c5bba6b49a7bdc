import { countAll } from '../saga/counts.ts';
import type { EventLog } from '../store/log.ts';

/** How many of a store's streams are instances of sagas: they do not count towards the limit on streams. As far as those have seen who work on them. */
export async function sagaStreams(log: EventLog): Promise<number> {
  const state = await log.state();
  return state === undefined ? 0 : (await countAll(state)).started;
}

/** Who appends a few events is not warned of how many instances there are. @param opened with the log; closed where that fails. */
export async function discountingSagas<Opened extends AsyncDisposable>(opened: Opened, log: EventLog): Promise<Opened> {
  try {
    const { streamCount } = await log.head();
    if (streamCount >= log.limits.streams * 0.8) log.discountStreams(await sagaStreams(log));
    return opened;
  } catch (error) {
    await opened[Symbol.asyncDispose]();
    throw error;
  }
}
