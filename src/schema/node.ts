/** JSON Schemas as they are compared: read once, keywords typed, references followed. */
import type { Json } from '../event/json.ts';
import type { JsonSchema } from '../event/json-schema.ts';

/** Kinds of JSON values; integers are numbers. */
export const kinds = ['null', 'boolean', 'number', 'string', 'array', 'object'] as const;
export type Kind = (typeof kinds)[number];

/** Keywords that are numbers. */
export const counts = [
  'minLength',
  'maxLength',
  'minItems',
  'maxItems',
  'minContains',
  'maxContains',
  'minProperties',
  'maxProperties',
] as const;
export const bounds = ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf'] as const;

/** One schema of a document. What is undefined is not restricted. */
export interface Node
  extends
    Readonly<Partial<Record<(typeof counts)[number] | (typeof bounds)[number], number>>>,
    Readonly<Partial<Record<'items' | 'contains' | 'additionalProperties' | 'propertyNames', Node>>>,
    Readonly<Partial<Record<'not' | 'if' | 'then' | 'else', Node>>>,
    Readonly<Partial<Record<'allOf' | 'anyOf' | 'oneOf' | 'prefixItems', readonly Node[]>>>,
    Readonly<Partial<Record<'properties' | 'patternProperties' | 'dependentSchemas', ReadonlyMap<string, Node>>>> {
  /** A number of its own among the schemas that are compared. */
  readonly id: number;
  /** The same for schemas that say the same in the same keywords. */
  readonly alike: string;
  readonly schema: JsonSchema;
  /** `false`, in whatever words. */
  readonly isNothing: boolean;
  /** Nothing is restricted. */
  readonly isAnything: boolean;
  readonly kinds?: ReadonlySet<Kind>;
  /** Of the numbers, only these. */
  readonly isInteger: boolean;
  /** The only ones: `enum`, `const`. */
  readonly values?: readonly Json[];
  readonly pattern?: string;
  readonly format?: string;
  readonly required?: readonly string[];
  readonly dependentRequired?: ReadonlyMap<string, readonly string[]>;
  readonly uniqueItems?: boolean;
  /** What `$ref` leads to. */
  readonly target?: Node;
  /** What restricts, and is not understood: keywords, references. */
  readonly unknown: readonly string[];
}

/** Equal for equal JSON values: with keys in order, and one zero. */
export function keyOf(value: Json): string {
  if (Array.isArray(value)) return `[${(value as readonly Json[]).map(keyOf).join()}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const object = value as { readonly [key: string]: Json };
  const members = Object.keys(object)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${keyOf(object[key] as Json)}`);
  return `{${members.join()}}`;
}

export function kindOf(value: Json): Kind {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : (typeof value as Kind);
}

const patterns = new Map<string, RegExp | undefined>();
const patternsMax = 1_000;

/** Undefined for what is no regular expression. */
export function regExpOf(pattern: string): RegExp | undefined {
  if (patterns.size >= patternsMax) patterns.clear();
  if (!patterns.has(pattern)) patterns.set(pattern, compiled(pattern));
  return patterns.get(pattern);
}

function compiled(pattern: string): RegExp | undefined {
  for (const flags of ['u', '']) {
    try {
      return new RegExp(pattern, flags);
    } catch {
      // Without `u` more is allowed.
    }
  }
  return undefined;
}

/** The schemas that a name of an object is under, by what an object schema says of its properties. */
export function schemasOfName(node: Node, name: string): readonly Node[] {
  const found: Node[] = [];
  const own = node.properties?.get(name);
  if (own !== undefined) found.push(own);
  for (const [pattern, schema] of node.patternProperties ?? []) if (regExpOf(pattern)?.test(name)) found.push(schema);
  if (found.length === 0 && node.additionalProperties !== undefined) found.push(node.additionalProperties);
  return found;
}

/** The schema that a place of a list is under. */
export function schemaOfPlace(node: Node, index: number): Node | undefined {
  return node.prefixItems?.[index] ?? node.items;
}
