/** What a JSON Schema takes, in a few words: `string (email)`, `integer >= 1`, `"new" | "paid"`, `object[]`. */
import type { Json } from '../event/json.ts';
import { isRecord } from '../event/json-schema.ts';
import type { JsonSchema } from '../event/json-schema.ts';

export type SchemaRecord = Exclude<JsonSchema, boolean>;
/** What references lead to, by what they say. */
export type SchemaParts = ReadonlyMap<string, JsonSchema>;

const partsMax = 12;

/** @param trail references that led here: one that comes again is `recursive`. */
export function typeText(schema: JsonSchema, parts: SchemaParts, trail: readonly string[]): string {
  if (!isRecord(schema)) return schema ? 'any' : 'never';
  const { $ref, const: constant, enum: constants, type } = schema;
  if (constant !== undefined) return JSON.stringify(constant);
  if (Array.isArray(constants))
    return joined(
      constants.map((one) => JSON.stringify(one)),
      ' | ',
    );
  const within = (nested: JsonSchema) => typeText(nested, parts, trail);
  const texts = schemasIn(schema['allOf']).map(within);
  if (typeof $ref === 'string')
    texts.push(trail.includes($ref) ? 'recursive' : typeText(parts.get($ref) ?? true, parts, [...trail, $ref]));
  for (const keyword of ['anyOf', 'oneOf']) {
    const alternatives = schemasIn(schema[keyword]).map(within);
    if (alternatives.length > 0) texts.push(joined(alternatives, ' | '));
  }
  const types = Array.isArray(type) ? type : type === undefined ? implied(schema) : [type];
  if (types.length > 0)
    texts.push(
      joined(
        types.map((one) => ofType(String(one), schema, within)),
        ' | ',
      ),
    );
  const telling = texts.filter((text) => text !== 'any');
  return telling.length === 0 ? 'any' : joined(telling, ' & ');
}

/** The schemas of `allOf` and the like. */
export function schemasIn(list: Json | undefined): readonly JsonSchema[] {
  if (!Array.isArray(list)) return [];
  return list.flatMap((one: Json) => (typeof one === 'boolean' || isRecord(one) ? [one] : []));
}

function implied(schema: SchemaRecord): readonly string[] {
  if ('properties' in schema) return ['object'];
  return 'items' in schema || 'prefixItems' in schema ? ['array'] : [];
}

function ofType(type: string, schema: SchemaRecord, within: (nested: JsonSchema) => string): string {
  switch (type) {
    case 'array':
      return ofArray(schema, within);
    case 'object':
      return ofObject(schema, within);
    case 'string':
      return typeof schema['format'] === 'string' ? `string (${schema['format']})` : 'string';
    case 'integer':
    case 'number':
      return [type, ...boundsOf(schema)].join(' ');
    default:
      return type;
  }
}

function ofArray(schema: SchemaRecord, within: (nested: JsonSchema) => string): string {
  const { items, prefixItems } = schema;
  const rest = isRecord(items) ? within(items) : 'any';
  if (!Array.isArray(prefixItems)) return `${grouped(rest)}[]`;
  const texts = schemasIn(prefixItems).map(within);
  return `[${[...texts, ...(items === false ? [] : [`...${grouped(rest)}[]`])].join(', ')}]`;
}

/** One without names of its own is a map. */
function ofObject(schema: SchemaRecord, within: (nested: JsonSchema) => string): string {
  const { properties, additionalProperties } = schema;
  const isMap = isRecord(additionalProperties) && !isRecord(properties);
  return isMap ? `object of ${grouped(within(additionalProperties))}` : 'object';
}

/** Libraries say of any integer that it is a safe one, which nobody has to read. */
function boundsOf(schema: SchemaRecord): readonly string[] {
  const signs = [
    ['exclusiveMinimum', '>'],
    ['minimum', '>='],
    ['exclusiveMaximum', '<'],
    ['maximum', '<='],
  ] as const;
  const bounds = signs.flatMap(([keyword, sign]) => {
    const bound = schema[keyword];
    return typeof bound === 'number' && Math.abs(bound) !== Number.MAX_SAFE_INTEGER ? [`${sign} ${bound}`] : [];
  });
  return bounds.length === 0 ? [] : [bounds.join(', ')];
}

function grouped(text: string): string {
  return / [|&] /u.test(text) ? `(${text})` : text;
}

function joined(texts: readonly string[], sign: string): string {
  const unique = [...new Set(texts)];
  const shown = unique.slice(0, partsMax);
  if (unique.length > partsMax) shown.push(`… (${unique.length - partsMax} more)`);
  return shown.length === 1
    ? (shown[0] ?? '')
    : shown.map((text) => (sign === ' & ' ? grouped(text) : text)).join(sign);
}
