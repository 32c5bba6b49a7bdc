import { openEngine } from 'eventsrc';
import type { Engine, EngineHooks } from 'eventsrc';
import { sqlite } from 'eventsrc/sqlite';
import { order } from './order.ts';
import { bookSeat, show } from './seats.ts';

/** The shop on a file. Several may have it open: each clerk does. */
export function openShop(file: string, hooks: EngineHooks = {}): Promise<Engine> {
  return openEngine({ store: sqlite(file), aggregates: [order, show], decisions: [bookSeat], hooks });
}
