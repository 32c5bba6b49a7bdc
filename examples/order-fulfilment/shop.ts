import { openEngine } from 'eventsrc';
import type { AnyImplementation, Engine, EngineHooks, EngineOptions } from 'eventsrc';
import { postgres } from 'eventsrc/postgres';
import { sqlite } from 'eventsrc/sqlite';
import { board } from './board.ts';
import { fulfilment } from './fulfilment.ts';
import { order } from './order.ts';
import { bookSeat, show } from './seats.ts';

/**
 * The shop in a file, or in a database by its URL. Several may have it open: each clerk does. The board is kept up to date by
 * one of them, and by another when that one is gone.
 */
export function openShop(place: string, hooks: EngineHooks = {}): Promise<Engine> {
  return openEngine({ ...shopAt(place), run: ['board'], hooks });
}

/** The same shop, for whoever works on sales: the saga needs somebody who does in the world outside what it asks for. */
export function openOffice(
  place: string,
  activities: readonly AnyImplementation[],
  hooks: EngineHooks = {},
): Promise<Engine> {
  return openEngine({ ...shopAt(place), run: ['fulfilment'], activities, leaseMs: 1_000, hooks });
}

function shopAt(place: string): EngineOptions {
  const store = isUrl(place) ? postgres(place) : sqlite(place);
  return { store, aggregates: [order, show], decisions: [bookSeat], projections: [board], sagas: [fulfilment] };
}

export function isUrl(place: string): boolean {
  return /^postgres(?:ql)?:/.test(place);
}
