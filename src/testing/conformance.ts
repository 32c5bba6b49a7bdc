import type { Backend, Capabilities } from '../store/port.ts';
import { systemClock } from '../ground/clock.ts';
import { resolveLimits } from '../ground/limits.ts';
import { appendCases } from './append-cases.ts';
import type { CaseDefinition, Fixture, Need, StateCaseDefinition } from './case-definition.ts';
import { conditionCases } from './condition-cases.ts';
import { importCases } from './import-cases.ts';
import { inlineCases } from './inline-cases.ts';
import { readCases } from './read-cases.ts';
import { receiptCases } from './receipt-cases.ts';
import { sharedCases } from './shared-cases.ts';
import { stateCases } from './state-cases.ts';
import { streamCases } from './stream-cases.ts';
import { TestClock } from './test-clock.ts';

/** A place for one store, empty at first. */
export interface ConformancePlace {
  /** Opening it again, also while it is open, must lead to the same store if the target is `shared`. */
  readonly backend: Backend;
  /** Called after everything that was opened there has been closed. */
  readonly remove: () => Promise<void>;
}

export interface ConformanceTarget {
  readonly place: () => Promise<ConformancePlace>;
  /** What the backend declares; cases that need more are skipped. */
  readonly capabilities: Capabilities;
  /** Whether several openings of one place are one store, and what was closed can be opened again. */
  readonly shared: boolean;
}

export interface ConformanceCase {
  /** A sentence: what holds. */
  readonly name: string;
  /** Why it does not apply to this backend. */
  readonly skip?: string;
  readonly run: () => Promise<void>;
}

const definitions: readonly CaseDefinition[] = [
  ...appendCases,
  ...conditionCases,
  ...readCases,
  ...streamCases,
  ...receiptCases,
  ...importCases,
  ...inlineCases,
  ...sharedCases,
];

/**
 * Everything that a backend's EventStore must do, as cases for any test runner:
 *
 * ```ts
 * for (const { name, skip, run } of eventStoreConformance(target)) test.skipIf(skip !== undefined)(name, run);
 * ```
 */
export function eventStoreConformance(target: ConformanceTarget): readonly ConformanceCase[] {
  return definitions.map(({ name, needs, run }) => {
    const skip = [needs ?? []]
      .flat()
      .map((need) => missing(need, target))
      .find((missed) => missed !== undefined);
    return { name, ...(skip !== undefined && { skip }), run: () => runIn(target, run) };
  });
}

function missing(need: Need, { capabilities, shared }: ConformanceTarget): string | undefined {
  switch (need) {
    case 'multiStream':
      return capabilities.multiStream ? undefined : 'the backend writes one stream at a time';
    case 'matchedConditions':
      return capabilities.conditions === 'matched'
        ? undefined
        : `the backend's append conditions are: ${capabilities.conditions}`;
    case 'gapless':
      return capabilities.gapless ? undefined : 'the backend’s positions may have gaps';
    case 'sharedTransaction':
      return capabilities.sharedTransaction ? undefined : 'the backend has no transaction for events and documents';
    case 'shared':
      return shared ? undefined : 'each opening of the backend is a store of its own';
    default:
      return need satisfies never;
  }
}

/** Everything that a backend's StateStore must do; skipped as a whole where it has none. */
export function stateStoreConformance(
  target: ConformanceTarget & { readonly state: boolean },
): readonly ConformanceCase[] {
  return stateCases.map(({ name, needs, run }) => {
    const missed =
      needs === 'shared' && !target.shared ? 'each opening of the backend is a store of its own' : undefined;
    const skip = target.state ? missed : 'the backend keeps events only';
    return {
      name,
      ...(skip !== undefined && { skip }),
      run: () => runIn(target, (fixture) => runStateCase(run, fixture)),
    };
  });
}

async function runStateCase(run: StateCaseDefinition['run'], { open, openState }: Fixture): Promise<void> {
  await run({ open: async () => openState(await open({ clock: systemClock })) });
}

async function runIn(target: ConformanceTarget, run: (fixture: Fixture) => Promise<void>): Promise<void> {
  const { backend, remove } = await target.place();
  const clock = new TestClock();
  const opened: AsyncDisposable[] = [];
  try {
    await run({
      clock,
      open: async (options = {}) => {
        const limits = resolveLimits(options.limits);
        const store = await backend.openEvents({ clock: options.clock ?? clock, limits });
        opened.push(store);
        return store;
      },
      openState: async (events) => {
        const state = await backend.openState?.(events, { clock: systemClock, limits: resolveLimits() });
        if (state === undefined) throw new TypeError(`${backend.name} keeps events only`);
        opened.push(state);
        return state;
      },
    });
  } finally {
    // Documents before the events that they lie beside.
    for (const store of opened.reverse()) await store[Symbol.asyncDispose]();
    await remove();
  }
}
