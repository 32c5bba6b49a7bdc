/** JSON Schema as it was before: what AsyncAPI 3.0 understands without an extension (https://www.asyncapi.com/docs/reference/specification/v3.0.0#schemaObject). */
import type { Json } from '../event/json.ts';
import { isRecord } from '../event/json-schema.ts';
import type { JsonSchema } from '../event/json-schema.ts';
import { mapNested } from './embedded-schemas.ts';

type SchemaRecord = Exclude<JsonSchema, boolean>;

/** What draft 07 has no word for. Without it a schema takes more than it did, never less. */
const unknownBefore = ['unevaluatedItems', 'unevaluatedProperties', 'minContains', 'maxContains', 'contentSchema'];

/** @param schema in draft 2020-12, with no definitions of its own. */
export function toDraft07(schema: JsonSchema): SchemaRecord {
  // Parsers of AsyncAPI take no booleans where schemas have names.
  if (!isRecord(schema)) return schema ? {} : { not: {} };
  const mapped = mapNested(schema, (nested, keyword) =>
    keyword === 'additionalProperties' && typeof nested === 'boolean' ? nested : toDraft07(nested),
  );
  const older = new Map(Object.entries(mapped));
  renameTuple(older);
  mergeDependencies(older);
  if (older.get('minContains') === 0) older.delete('contains');
  for (const keyword of unknownBefore) older.delete(keyword);
  // Of AsyncAPI, the name of a field; of others, something else.
  if (typeof older.get('discriminator') !== 'string') older.delete('discriminator');
  return besideReference(Object.fromEntries(older));
}

function renameTuple(schema: Map<string, Json>): void {
  const tuple = schema.get('prefixItems');
  if (tuple === undefined) return;
  const rest = schema.get('items');
  schema.delete('prefixItems');
  schema.set('items', tuple);
  if (rest !== undefined) schema.set('additionalItems', rest);
}

function mergeDependencies(schema: Map<string, Json>): void {
  const parts = ['dependentRequired', 'dependentSchemas'].map((keyword) => {
    const part = schema.get(keyword);
    schema.delete(keyword);
    return isRecord(part) ? Object.entries(part) : [];
  });
  const [required = [], schemas = []] = parts;
  if (required.length + schemas.length === 0) return;
  const merged = new Map<string, Json>(required);
  for (const [name, dependent] of schemas) {
    const also = merged.get(name);
    merged.set(name, also === undefined ? dependent : { allOf: [{ required: also }, dependent] });
  }
  schema.set('dependencies', Object.fromEntries(merged));
}

/** Beside a reference nothing else counted. */
function besideReference(schema: SchemaRecord): SchemaRecord {
  const { $ref, ...others } = schema;
  if ($ref === undefined || Object.keys(others).length === 0) return schema;
  const all = Array.isArray(others['allOf']) ? others['allOf'] : [];
  return { ...others, allOf: [{ $ref }, ...all] };
}
