/** The fields of data, as people read them, from their JSON Schema. */
import type { Json } from '../event/json.ts';
import { isRecord } from '../event/json-schema.ts';
import type { JsonSchema } from '../event/json-schema.ts';
import { compareCodePoints } from '../event/names.ts';
import { embeddedSchemas } from './embedded-schemas.ts';
import { schemasIn, typeText } from './type-text.ts';
import type { SchemaParts, SchemaRecord } from './type-text.ts';

export interface SchemaField {
  /** `address.street`, `items[].sku`, `prices.*`; empty: the data as a whole. */
  readonly path: string;
  readonly type: string;
  readonly required: boolean;
  readonly description: string;
}

/** How deep fields are told apart, and how many of them: schemas that refer to each other may spell out to any number. */
const depthMax = 8;
const fieldsMax = 200;

/** In order of their names, each followed by those within it; data that are not just an object with fields are a field themselves. */
export function schemaFields(schema: JsonSchema): readonly SchemaField[] {
  const root = 'data';
  const parts = embeddedSchemas(new Map([[root, schema]]), '');
  const whole: Place = { schema: parts.get(root) ?? true, trail: [root] };
  const list: SchemaField[] = [];
  const type = typeText(whole.schema, parts, whole.trail);
  if (type !== 'object' || shapeOf(whole, parts).fields.size === 0)
    list.push({ path: '', type, required: true, description: descriptionOf(whole, parts) });
  addFields(list, '', whole, parts, 0);
  return list;
}

function addFields(list: SchemaField[], path: string, place: Place, parts: SchemaParts, depth: number): void {
  if (depth >= depthMax) return;
  const { fields, elements } = shapeOf(place, parts);
  for (const [name, field] of [...fields].sort(([a], [b]) => compareCodePoints(a, b))) {
    if (list.length >= fieldsMax) return;
    const at = path === '' ? name : `${path}.${name}`;
    const type = typeText(field.schema, parts, field.trail);
    list.push({ path: at, type, required: field.required, description: descriptionOf(field, parts) });
    addFields(list, at, field, parts, depth + 1);
  }
  for (const [step, element] of elements) {
    const at = step === '[]' || path === '' ? path + step : `${path}.${step}`;
    addFields(list, at, element, parts, depth + 1);
  }
}

/** A schema, and the references that led to it. */
interface Place {
  readonly schema: JsonSchema;
  readonly trail: readonly string[];
}

interface Field extends Place {
  readonly required: boolean;
}

interface Shape {
  readonly fields: ReadonlyMap<string, Field>;
  /** What is in a list (`[]`), or under any other name (`*`). */
  readonly elements: readonly (readonly [step: string, element: Place])[];
}

const nothing: Shape = { fields: new Map(), elements: [] };

function shapeOf({ schema, trail }: Place, parts: SchemaParts): Shape {
  if (!isRecord(schema)) return nothing;
  const { $ref } = schema;
  const within = (nested: JsonSchema) => shapeOf({ schema: nested, trail }, parts);
  const shapes = [ownShape(schema, trail), ...schemasIn(schema['allOf']).map(within)];
  if (typeof $ref === 'string' && !trail.includes($ref))
    shapes.push(shapeOf({ schema: parts.get($ref) ?? true, trail: [...trail, $ref] }, parts));
  for (const keyword of ['anyOf', 'oneOf']) {
    const alternatives = schemasIn(schema[keyword]).filter((one) => !isRecord(one) || one['type'] !== 'null');
    shapes.push(combined(alternatives.map(within), 'anyOf'));
  }
  return combined(shapes, 'allOf');
}

function ownShape(schema: SchemaRecord, trail: readonly string[]): Shape {
  const { properties, required, items, additionalProperties } = schema;
  const isRequired = (name: string) => Array.isArray(required) && required.includes(name);
  const fields = isRecord(properties) ? Object.entries(properties).filter(isNamedSchema) : [];
  const elements: [string, Place][] = [];
  if (isRecord(items)) elements.push(['[]', { schema: items, trail }]);
  if (isRecord(additionalProperties)) elements.push(['*', { schema: additionalProperties, trail }]);
  return {
    fields: new Map(fields.map(([name, field]) => [name, { schema: field, trail, required: isRequired(name) }])),
    elements,
  };
}

/** Of schemas that all hold, a field is required by any; of alternatives, if all of them do. */
function combined(shapes: readonly Shape[], how: 'allOf' | 'anyOf'): Shape {
  const names = new Set(shapes.flatMap(({ fields }) => [...fields.keys()]));
  const fields = [...names].map((name): [string, Field] => {
    const found = shapes.flatMap((shape) => shape.fields.get(name) ?? []);
    const [first] = found;
    const requiring = found.filter(({ required }) => required).length;
    const required = how === 'allOf' ? requiring > 0 : requiring === shapes.length;
    if (found.length === 1 && first !== undefined) return [name, { ...first, required }];
    const trail = [...new Set(found.flatMap((one) => one.trail))];
    return [name, { schema: { [how]: found.map(({ schema }) => schema) }, trail, required }];
  });
  return { fields: new Map(fields), elements: shapes.flatMap(({ elements }) => elements) };
}

function isNamedSchema(entry: [string, Json]): entry is [string, JsonSchema] {
  return typeof entry[1] === 'boolean' || isRecord(entry[1]);
}

/** Its own, else that of what it refers to. */
function descriptionOf({ schema, trail }: Place, parts: SchemaParts): string {
  if (!isRecord(schema)) return '';
  const { description, $ref } = schema;
  if (typeof description === 'string') return description;
  if (typeof $ref !== 'string' || trail.includes($ref)) return '';
  return descriptionOf({ schema: parts.get($ref) ?? true, trail: [...trail, $ref] }, parts);
}
