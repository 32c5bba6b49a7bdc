/** A JSON Schema as a person reads it: a field a line. */
import type { Json } from '../event/json.ts';
import { pathStep } from '../event/json.ts';
import { isRecord, nestings, referenced } from '../event/json-schema.ts';
import type { JsonSchema } from '../event/json-schema.ts';
import { jsonText } from './json-text.ts';

export interface SchemaField {
  /** `data.items[].price`; `data.*` stands for properties of any name. */
  readonly path: string;
  /** `integer, minimum 0`; the keywords are those of JSON Schema. */
  readonly is: string;
  readonly presence: 'required' | 'optional' | '';
}

export function schemaFields(document: JsonSchema): readonly SchemaField[] {
  return [...fieldsOf(document, document, { path: 'data', presence: '' }, new Set())];
}

type Place = Omit<SchemaField, 'is'>;

/** @param within what is being told already: a schema may hold itself. */
function* fieldsOf(document: JsonSchema, given: Json, place: Place, within: ReadonlySet<Json>): Generator<SchemaField> {
  const schema = resolved(document, given);
  if (!isRecord(schema)) {
    yield { ...place, is: schema === false ? 'nothing' : 'anything' };
    return;
  }
  const is = textOf(document, schema, 0);
  if (within.has(schema)) {
    yield { ...place, is: `${is}, again` };
    return;
  }
  const parts = partsOf(document, schema, place.path, 0);
  if (parts.length === 0 || is !== 'object') yield { ...place, is };
  const inside = new Set([...within, schema]);
  for (const [path, presence, part] of parts) yield* fieldsOf(document, part, { path, presence }, inside);
}

/** References to references, or branches of branches. */
const stepsMax = 4;

function resolved(document: JsonSchema, schema: Json): Json {
  let found = schema;
  for (let step = 0; step < stepsMax && isRecord(found) && typeof found['$ref'] === 'string'; step++)
    found = referenced(document, found['$ref']) ?? true;
  return found;
}

type Part = readonly [path: string, presence: SchemaField['presence'], schema: Json];

/** The schemas within a schema, but for those that only limit it. */
function partsOf(
  document: JsonSchema,
  schema: { readonly [keyword: string]: Json },
  path: string,
  steps: number,
): readonly Part[] {
  const { properties, required, items, prefixItems, additionalProperties, anyOf, oneOf, allOf } = schema;
  const isRequired = (name: string) => Array.isArray(required) && required.includes(name);
  const parts: Part[] = [];
  if (isRecord(properties))
    for (const [name, part] of Object.entries(properties))
      parts.push([path + pathStep(name), isRequired(name) ? 'required' : 'optional', part]);
  if (isRecord(additionalProperties)) parts.push([`${path}.*`, 'optional', additionalProperties]);
  for (const [index, part] of listOf(prefixItems).entries()) parts.push([`${path}[${index}]`, 'required', part]);
  if (isRecord(items)) parts.push([`${path}[]`, '', items]);
  for (const branch of [anyOf, oneOf, allOf].flatMap(listOf)) {
    const one = resolved(document, branch);
    if (isRecord(one) && steps < stepsMax) parts.push(...partsOf(document, one, path, steps + 1));
  }
  return parts;
}

function listOf(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? (value as readonly Json[]) : [];
}

/** Said elsewhere, or for programs. */
const unsaid = new Set([
  'type',
  'enum',
  'const',
  'required',
  '$defs',
  '$schema',
  '$id',
  '$ref',
  'title',
  'default',
  'examples',
]);

function textOf(document: JsonSchema, schema: { readonly [keyword: string]: Json }, steps: number): string {
  const branches = [...listOf(schema['anyOf']), ...listOf(schema['oneOf'])];
  const alternatives = branches.map((branch) => {
    const one = resolved(document, branch);
    if (!isRecord(one)) return one === false ? 'nothing' : 'anything';
    return steps >= stepsMax ? '…' : textOf(document, one, steps + 1);
  });
  const kind = kindOf(schema) ?? (alternatives.length === 0 ? 'anything' : [...new Set(alternatives)].join(' | '));
  const { description, ...rest } = schema;
  const limits = Object.entries(rest).flatMap(([keyword, value]) => {
    if (keyword === 'additionalProperties' && value === false) return [];
    return unsaid.has(keyword) || nestings.has(keyword) ? [] : [`${keyword} ${plainText(value)}`];
  });
  const text = [kind, ...limits].join(', ');
  return typeof description === 'string' ? `${text}: ${description}` : text;
}

function kindOf({ type, enum: values, const: value }: { readonly [keyword: string]: Json }): string | undefined {
  if (value !== undefined) return jsonText(value);
  if (Array.isArray(values)) return (values as readonly Json[]).map((one) => jsonText(one)).join(' | ');
  if (Array.isArray(type)) return (type as readonly Json[]).map(plainText).join(' | ');
  return typeof type === 'string' ? type : undefined;
}

function plainText(value: Json): string {
  return typeof value === 'string' ? value : jsonText(value);
}
