/** What a config and its store say of a system, as plain data to be rendered. */
import { existsSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { EventSchemas } from '../event/codec.ts';
import { shapeOf } from '../event/json-schema.ts';
import type { JsonSchema } from '../event/json-schema.ts';
import { fingerprintOf } from '../event/schema-fingerprint.ts';
import type { StandardSchemaV1 } from '../event/standard-schema.ts';
import type { AnyConsumer } from '../projection/registry.ts';
import type { CatalogueType, CatalogueVersion } from '../schema/catalogue.ts';
import { shapeOfVersion } from '../schema/catalogue.ts';
import type { EventModel, EventRef, ModelEvent, ModelVersion } from '../schema/event-model.ts';
import type { LoadedConfig } from './config-file.ts';
import { sagasOf } from './definitions.ts';

export function modelOf(config: LoadedConfig, catalogue: readonly CatalogueType[]): EventModel {
  const { aggregates = [], decisions = [], projections = [], tables = [], reactors = [], folder } = config;
  const owned = new Owners(config);
  return {
    ...projectAt(folder),
    aggregates: aggregates.map(({ name, handlers }) => ({
      name,
      commands: [...handlers].map(([command, { input }]) => ({ name: command, ...inputOf(input) })),
    })),
    decisions: decisions.map(({ name, handler, events, folded }) => ({
      name,
      ...inputOf(handler.input),
      reads: owned.refs(events).filter(({ type }) => folded.includes(type)),
      events: owned.refs(events),
    })),
    events: catalogue.map(eventOf),
    views: [...projections, ...tables, ...reactors].map(({ name, version, kind, interest }) => ({
      ...{ name, version, kind },
      from: interest.from.map((source) => source.name),
      handles: handledBy(interest),
    })),
    sagas: sagasOf(config).map(({ name, version, events, startsOn, activities, children }) => ({
      ...{ name, version, activities: [...activities.keys()], children },
      startsOn: owned.refs(events).filter(({ type }) => startsOn.has(type)),
      handles: owned.refs(events),
    })),
  };
}

/** The nearest thing to a name that a system has. */
function projectAt(folder: string): Pick<EventModel, 'title' | 'version' | 'description'> {
  const file = join(folder, 'package.json');
  const { name, version, description } = existsSync(file) ? recordIn(file) : {};
  return {
    title: typeof name === 'string' ? name : basename(folder),
    version: typeof version === 'string' ? version : '0.0.0',
    ...(typeof description === 'string' && { description }),
  };
}

function recordIn(file: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(readFileSync(file, 'utf8'));
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    // Whatever is wrong with it, others will say.
    return {};
  }
}

/** Whose events there are among those that decisions and sagas declare: an aggregate's own are known by their schemas. */
class Owners {
  readonly #aggregates: readonly { readonly name: string; readonly events: EventSchemas }[];

  constructor({ aggregates = [] }: LoadedConfig) {
    this.#aggregates = aggregates;
  }

  refs(events: EventSchemas): readonly EventRef[] {
    return Object.entries(events).map(([type, schema]) => {
      const owner = this.#aggregates.find((aggregate) => aggregate.events[type] === schema);
      return { owner: owner?.name ?? '', type };
    });
  }
}

function handledBy(interest: AnyConsumer['interest']): readonly EventRef[] {
  return interest.from.flatMap(({ name: owner, events }) =>
    Object.keys(events)
      .filter((type) => interest.has({ type, stream: `${owner}-any` }))
      .map((type) => ({ owner, type })),
  );
}

function inputOf(schema: StandardSchemaV1): { readonly input?: JsonSchema } {
  const shape = shapeOf(schema);
  return shape === undefined ? {} : { input: shape.input };
}

function eventOf({ owner, type, retired, versions }: CatalogueType): ModelEvent {
  const declared = versions.filter((one) => one.declared !== undefined);
  const newest = (declared.at(-1) ?? versions.at(-1))?.version ?? 1;
  return { owner, type, newest, retired, versions: versions.map(versionOf) };
}

function versionOf(one: CatalogueVersion): ModelVersion {
  const { version, declared, registered } = one;
  const shape = shapeOfVersion(one);
  return {
    version,
    ...(shape !== undefined && { schema: shape.output, fingerprint: fingerprintOf(shape) }),
    ...(registered !== undefined && { registeredAt: registered.registeredAt }),
    up: declared?.up !== undefined,
    down: declared?.down !== undefined,
  };
}
