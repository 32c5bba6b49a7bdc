import type { StateStore } from '../store/state-port.ts';
import type { Build } from './build.ts';
import type { Consumer } from './consumer.ts';
import type { Handling } from './handling.ts';

/** A consumer that says itself what is done with its events, and what documents it keeps: of a layer above. */
export interface HostedConsumer extends Consumer {
  readonly kind: 'saga';
  readonly startAt: 'first_event' | 'now';
  readonly indexes: readonly (readonly string[])[];
  /** What works on a slot for as long as it is held. */
  handling(place: SlotPlace): Handling;
}

export interface SlotPlace {
  readonly build: Build;
  readonly state: StateStore;
  readonly slot: number;
  /** Fires when the slot is held no longer. */
  readonly signal: AbortSignal;
}
