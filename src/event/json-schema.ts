/** What schemas say of themselves: JSON Schemas, draft 2020-12 (https://json-schema.org/draft/2020-12). */
import type { Json } from './json.ts';
import type { StandardSchemaV1 } from './standard-schema.ts';

export type JsonSchema = boolean | { readonly [keyword: string]: Json };

/** What a schema takes, and what it gives: what is kept. */
export interface SchemaShape {
  readonly input: JsonSchema;
  readonly output: JsonSchema;
}

/** What a schema library may offer beside validation (https://standardschema.dev/json-schema). */
interface StandardJsonSchema {
  readonly input: (options: { readonly target: string }) => unknown;
  readonly output: (options: { readonly target: string }) => unknown;
}

/**
 * From the export of the schema library: zod and arktype have it, valibot by `toStandardJsonSchema` of `@valibot/to-json-schema`. Without
 * `$schema`: the dialect is known.
 * @returns undefined for a schema that has none, or cannot say what it gives, such as one that transforms.
 */
export function shapeOf(schema: StandardSchemaV1): SchemaShape | undefined {
  const input = exported(schema, 'input');
  const output = exported(schema, 'output');
  return input === undefined || output === undefined ? undefined : { input, output };
}

/** Whether a schema says what it takes, but not what it gives: one that transforms. */
export function isTransforming(schema: StandardSchemaV1): boolean {
  return exported(schema, 'input') !== undefined && exported(schema, 'output') === undefined;
}

function exported(schema: StandardSchemaV1, side: keyof StandardJsonSchema): JsonSchema | undefined {
  const { jsonSchema } = schema['~standard'] as StandardSchemaV1['~standard'] & {
    readonly jsonSchema?: Partial<StandardJsonSchema>;
  };
  try {
    return plain(jsonSchema?.[side]?.({ target: 'draft-2020-12' }));
  } catch {
    return undefined;
  }
}

/** As it would be stored. */
function plain(given: unknown): JsonSchema | undefined {
  if (typeof given === 'boolean') return given;
  if (typeof given !== 'object' || given === null || Array.isArray(given)) return undefined;
  const { $schema: _, ...schema } = JSON.parse(JSON.stringify(given)) as { readonly [keyword: string]: Json };
  return schema;
}

export function isRecord(value: unknown): value is { readonly [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Where schemas are within a schema, by keyword. */
const nestedIn = {
  one: [
    'not',
    'if',
    'then',
    'else',
    'items',
    'contains',
    'additionalProperties',
    'propertyNames',
    'unevaluatedItems',
    'unevaluatedProperties',
  ],
  list: ['allOf', 'anyOf', 'oneOf', 'prefixItems'],
  map: ['properties', 'patternProperties', 'dependentSchemas'],
} as const;

export type Nesting = keyof typeof nestedIn;

/** How a keyword holds schemas: as one, as a list, as a map by name; undefined for one that holds none. `$defs` only keeps them. */
export const nestings: ReadonlyMap<string, Nesting> = new Map(
  (Object.keys(nestedIn) as Nesting[]).flatMap((nesting) => nestedIn[nesting].map((keyword) => [keyword, nesting])),
);

/** What a reference such as `#/$defs/name` leads to in a document; undefined for one that leads nowhere, or out of the document. */
export function referenced(document: JsonSchema, reference: string): Json | undefined {
  if (reference === '#') return document;
  if (!reference.startsWith('#/')) return undefined;
  let found: Json | undefined = document;
  for (const step of reference.slice(2).split('/')) {
    const name = decoded(step)?.replaceAll('~1', '/').replaceAll('~0', '~');
    if (name === undefined || typeof found !== 'object' || found === null || !Object.hasOwn(found, name))
      return undefined;
    found = (found as { readonly [key: string]: Json })[name];
  }
  return found;
}

function decoded(step: string): string | undefined {
  try {
    return decodeURIComponent(step);
  } catch {
    return undefined;
  }
}
