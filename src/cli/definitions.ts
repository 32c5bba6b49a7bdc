/** What the config defines that works on events: as far as it is named, listed and chosen. */
import type { Consumer } from '../projection/consumer.ts';
import type { AnySaga } from '../saga/saga.ts';
import { scheduleSaga } from '../saga/schedule.ts';
import type { LoadedConfig } from './config-file.ts';

/** A projection, tables, a reactor or a saga. */
export type NamedConsumer = Pick<Consumer, 'kind' | 'name' | 'version' | 'mode'>;

export function consumersOf(config: LoadedConfig): readonly NamedConsumer[] {
  const { projections = [], tables = [], reactors = [] } = config;
  const sagas = sagasOf(config).map(({ kind, name, version }) => ({ kind, name, version, mode: 'async' as const }));
  return [...projections, ...tables, ...reactors, ...sagas];
}

/** Those of the engine's own too, where the config asks for them. */
export function sagasOf({ sagas = [], schedules = false }: LoadedConfig): readonly AnySaga[] {
  return schedules ? [...sagas, scheduleSaga] : sagas;
}

/** Whether the config can work on it: whether it says how the activities of a saga are done. */
export function canWorkOn(config: LoadedConfig, { name }: NamedConsumer): boolean {
  const saga = sagasOf(config).find((one) => one.name === name);
  if (saga === undefined) return true;
  const implemented = new Set(config.activities?.map(({ activity }) => activity));
  return [saga, ...saga.previous].every(({ activities }) => implemented.isSupersetOf(activities));
}
