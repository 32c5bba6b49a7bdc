import { checkTimeout } from '../command/executor.ts';
import { optionInvalid } from '../ground/check-options.ts';
import { EngineError } from '../ground/errors.ts';
import type { EngineOptions } from './engine.ts';

type Definitions = Pick<
  EngineOptions,
  'aggregates' | 'decisions' | 'projections' | 'tables' | 'reactors' | 'sagas' | 'activities'
>;

/** @throws {EngineError} `option_invalid`, `definition_invalid` */
export function checkDefinitions({
  aggregates = [],
  decisions = [],
  projections = [],
  tables = [],
  reactors = [],
  sagas = [],
  activities = [],
}: Definitions): void {
  requireDefinitions('aggregates', 'aggregate', aggregates);
  requireDefinitions('decisions', 'decision', decisions);
  requireDefinitions('projections', 'projection', projections);
  requireDefinitions('tables', 'tables', tables);
  requireDefinitions('reactors', 'reactor', reactors);
  requireDefinitions('sagas', 'saga', sagas);
  requireDefinitions('activities', 'implementation', activities);
  // An instance of a saga is a stream, as that of an aggregate; and a saga is a consumer, as a projection is.
  requireDistinct([...aggregates, ...decisions, ...sagas].map(({ name }) => name));
  requireDistinct([...projections, ...tables, ...reactors, ...sagas].map(({ name }) => name));
  requireDistinct(activities.map(({ activity }) => activity));
}

function requireDefinitions(option: string, kind: string, given: readonly { readonly kind: string }[]): void {
  if (!Array.isArray(given)) throw optionInvalid(option, given, 'a list');
  for (const value of given) {
    if (value?.kind !== kind)
      throw optionInvalid(option, value, `a list of ${option} that were defined with this package`);
  }
}

function requireDistinct(names: readonly string[]): void {
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined)
    throw new EngineError('definition_invalid', { name: twice, reason: 'there are two of this name' });
}

export type Settings = Required<
  Pick<
    EngineOptions,
    'commandTimeoutMs' | 'idempotencyWindowMs' | 'conflictRetries' | 'cachedStates' | 'snapshotSampleMs'
  >
>;

/** @throws {EngineError} `option_invalid` */
export function checkSettings(options: EngineOptions): Settings {
  const {
    commandTimeoutMs = 5_000,
    idempotencyWindowMs = 300_000,
    conflictRetries = 20,
    cachedStates = 10_000,
    snapshotSampleMs = 60_000,
  } = options;
  checkTimeout(commandTimeoutMs);
  const settings = { commandTimeoutMs, idempotencyWindowMs, conflictRetries, cachedStates, snapshotSampleMs };
  const leasts = { idempotencyWindowMs: 1, conflictRetries: 0, cachedStates: 1, snapshotSampleMs: 1 };
  for (const [option, least] of Object.entries(leasts)) {
    const value = settings[option as keyof Settings];
    if (typeof value === 'number' && value >= least) continue;
    throw optionInvalid(option, value, `a number of at least ${least}`);
  }
  return settings;
}
