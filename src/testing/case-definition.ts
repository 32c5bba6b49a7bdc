import type { Clock } from '../ground/clock.ts';
import type { Limits } from '../ground/limits.ts';
import type { EventStore } from '../store/port.ts';
import type { StateStore } from '../store/state-port.ts';
import type { TestClock } from './test-clock.ts';

/** What a case works with. */
export interface Fixture {
  readonly clock: TestClock;
  /** Opens the case's store; again, if it is shared. Closed when the case ends. */
  open(options?: { readonly limits?: Partial<Limits>; readonly clock?: Clock }): Promise<EventStore>;
  /** Opens the documents beside it. Closed when the case ends. */
  openState(events: EventStore): Promise<StateStore>;
}

export type Need = 'multiStream' | 'matchedConditions' | 'gapless' | 'sharedTransaction' | 'shared';

/** A case as it is written down: with what it needs. */
export interface CaseDefinition {
  readonly name: string;
  readonly needs?: Need | readonly Need[];
  readonly run: (fixture: Fixture) => Promise<void>;
}

/** The same for documents. */
export interface StateCaseDefinition {
  readonly name: string;
  readonly needs?: 'shared';
  readonly run: (fixture: StateFixture) => Promise<void>;
}

interface StateFixture {
  /** Opens the case's store, on the system's clock; again, if it is shared. Closed when the case ends. */
  open(): Promise<StateStore>;
}
