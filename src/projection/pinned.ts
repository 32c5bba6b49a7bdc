import { atVersion } from '../event/event-versions.ts';
import type { SchemaAt } from '../event/event-versions.ts';
import type { StandardSchemaV1 } from '../event/standard-schema.ts';
import { EngineError } from '../ground/errors.ts';
import type { EventSource } from './source.ts';

type PinnedEvents<Events, Pinned> = {
  readonly [Type in keyof Events]: Type extends keyof Pinned
    ? SchemaAt<Events[Type] & StandardSchemaV1, Pinned[Type]>
    : Events[Type];
};

/** A source of events, some of which are read as an older version. */
export interface PinnedSource<Source extends EventSource, Pinned> extends EventSource {
  readonly name: Source['name'];
  readonly events: PinnedEvents<Source['events'], Pinned>;
}

/**
 * The events of an aggregate, for a consumer that was written for older versions of some: those that are newer are cast down.
 * @param pinnedTo by type, the version.
 * @throws {EngineError} `definition_invalid` where there is no such version, or no way down to it.
 */
export function pinned<
  const Source extends EventSource,
  const Pinned extends { readonly [Type in keyof Source['events']]?: number },
>(source: Source, pinnedTo: Pinned): PinnedSource<Source, Pinned> {
  const events: Record<string, StandardSchemaV1> = { ...source.events };
  for (const [type, version] of Object.entries(pinnedTo) as [string, number][]) {
    const declared = source.events[type];
    if (declared === undefined)
      throw new EngineError('definition_invalid', { name: source.name, reason: `${type} is none of its events` });
    events[type] = atVersion(declared, version);
  }
  const { name, retired } = source;
  const whole = { name, events: source.events, retired };
  // The one place where what was declared is taken to be what was asked for.
  return { kind: 'aggregate', name, events, retired, whole } as unknown as PinnedSource<Source, Pinned>;
}
