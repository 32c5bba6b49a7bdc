/** All events as one JSON Schema, draft 2020-12: for validators and generators of code in other languages. */
import type { Json } from '../event/json.ts';
import type { JsonSchema } from '../event/json-schema.ts';
import { UniqueNames, versionName } from './document-names.ts';
import { nameOf } from './declared.ts';
import { embeddedSchemas } from './embedded-schemas.ts';
import { inOrder } from './event-model.ts';
import type { EventModel, ModelEvent } from './event-model.ts';

/**
 * A schema with the data of every version in `$defs`, as `<owner>.<type>.v<version>`. It takes an event as it is read, `{ aggregate, type,
 * schemaVersion, data }` among other fields, of the newest version of any type that is not retired. Data alone would not do: those of two
 * types may look the same.
 */
export function jsonSchemaBundle(model: EventModel): string {
  const { title, version, description, events } = inOrder(model);
  const names = new UniqueNames();
  const schemas = new Map<string, JsonSchema>();
  const newest: Json[] = [];
  for (const event of events) {
    for (const one of event.versions) {
      const name = names.take(versionName(event, one.version));
      schemas.set(name, one.schema ?? { $comment: 'The library of this schema exports none: anything.' });
      if (one.version === event.newest && !event.retired) newest.push(envelope(event, name, events));
    }
  }
  const bundle = {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title,
    ...(description !== undefined && { description }),
    $comment: `The events of version ${version}.`,
    // A list of alternatives may not be empty.
    ...(newest.length === 0 ? { not: {} } : { oneOf: newest }),
    $defs: Object.fromEntries(embeddedSchemas(schemas, '#/$defs/')),
  };
  return `${JSON.stringify(bundle, null, 2)}\n`;
}

function envelope(event: ModelEvent, name: string, events: readonly ModelEvent[]): Json {
  const { owner, type, newest } = event;
  const others = events.filter((other) => other.type === type && other.owner !== owner).map((other) => other.owner);
  const aggregate = owner === '' ? { type: 'string', not: { enum: others } } : { const: owner };
  return {
    title: nameOf(event),
    type: 'object',
    properties: {
      aggregate: owner === '' && others.length === 0 ? { type: 'string' } : aggregate,
      type: { const: type },
      schemaVersion: { const: newest },
      data: { $ref: `#/$defs/${name}` },
    },
    required: ['aggregate', 'type', 'schemaVersion', 'data'],
  };
}
