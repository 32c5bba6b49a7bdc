import { openEngine } from 'eventsrc';
import type { Engine, EngineHooks } from 'eventsrc';
import { postgres } from 'eventsrc/postgres';
import { sqlite } from 'eventsrc/sqlite';
import { board } from './board.ts';
import { order } from './order.ts';
import { bookSeat, show } from './seats.ts';

/**
 * The shop in a file, or in a database by its URL. Several may have it open: each clerk does. The board is kept up to date by
 * one of them, and by another when that one is gone.
 */
export function openShop(place: string, hooks: EngineHooks = {}): Promise<Engine> {
  const store = isUrl(place) ? postgres(place) : sqlite(place);
  return openEngine({ store, aggregates: [order, show], decisions: [bookSeat], projections: [board], hooks });
}

export function isUrl(place: string): boolean {
  return /^postgres(?:ql)?:/.test(place);
}
