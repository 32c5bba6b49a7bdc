import { streamBoundary } from '../command/boundary.ts';
import type { Folding } from '../command/folding.ts';
import { readClock } from '../ground/clock.ts';
import type { Clock } from '../ground/clock.ts';
import type { ReplayContext } from '../replay/context.ts';
import { pastOf } from '../replay/open-past.ts';
import type { Past } from '../replay/past.ts';
import type { StartReplay } from '../replay/replay.ts';
import { replays } from '../replay/start.ts';

/** All that looks back: replaying what happened, and comparing it with itself. */
export interface ReplaySide {
  readonly replay: StartReplay;
  readonly past: Past;
}

interface ReplayParts extends Pick<ReplayContext, 'log' | 'freezes' | 'closing'> {
  readonly folding: Folding;
  readonly clock: Clock;
}

export function openReplaySide(
  { log, folding, clock, freezes, closing }: ReplayParts,
  checkOpen: () => void,
): ReplaySide {
  const context: ReplayContext = {
    log,
    folding,
    freezes,
    now: () => readClock(clock),
    newestSnapshot: (fold, stream, at) => folding.newestSnapshot(streamBoundary(fold, stream), at),
    closing,
    checkOpen,
  };
  return { replay: replays(context), past: pastOf(context) };
}
