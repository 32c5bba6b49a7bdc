/** What a row of the table of changes says. */
import { shapeOf } from '../../src/event/json-schema.ts';
import type { JsonSchema, SchemaShape } from '../../src/event/json-schema.ts';
import type { StandardSchemaV1 } from '../../src/event/standard-schema.ts';

type Side = StandardSchemaV1 | JsonSchema;

/** Problems as `path: reason`; none: compatible. */
export type Row = readonly [
  name: string,
  before: Side,
  after: Side,
  backward: readonly string[],
  forward: readonly string[],
];

export function shapeOfSide(side: Side): SchemaShape {
  const isSchema = (typeof side === 'object' || typeof side === 'function') && '~standard' in side;
  if (!isSchema) return { input: side, output: side };
  const shape = shapeOf(side as StandardSchemaV1);
  if (shape === undefined) throw new Error('A schema in the table has no shape.');
  return shape;
}

/** Made of its parts, so that it does not look like a promise. */
export function conditional(condition: JsonSchema, holds: JsonSchema, holdsNot: JsonSchema): JsonSchema {
  const schemas = [condition, holds, holdsNot];
  return Object.fromEntries(['if', 'then', 'else'].map((keyword, at) => [keyword, schemas[at] as JsonSchema]));
}
