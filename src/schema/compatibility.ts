/** Whether what one version of a schema gives is taken by another one: the rules of schema registries, for JSON Schemas. */
import type { JsonSchema, SchemaShape } from '../event/json-schema.ts';
import { Comparison, TooLarge } from './comparison.ts';
import { keyOf } from './node.ts';
import type { Incompatibility } from './proof.ts';
import { Nodes, SchemaDocument } from './read-schema.ts';

export type { Incompatibility } from './proof.ts';

export interface ComparisonOptions {
  /**
   * Take it that objects are written with no properties but those that their schemas name, where these do not say so. Default false: what a
   * schema does not rule out may come. Schemas of arktype, which keeps other properties unless told otherwise, and of valibot, which drops them
   * without saying so, are open; those of zod are not.
   */
  readonly isOnlyDeclared?: boolean;
}

/**
 * Why what a writer produces might not be taken by a reader; empty: everything is taken. Where it cannot be told, that is a reason, beginning
 * with `cannot be told`. Formats and patterns are only compared by name.
 */
export function incompatibilities(
  writer: JsonSchema,
  reader: JsonSchema,
  { isOnlyDeclared = false }: ComparisonOptions = {},
): readonly Incompatibility[] {
  const nodes = new Nodes();
  const written = new SchemaDocument(writer, nodes);
  const read = new SchemaDocument(reader, nodes);
  const faults = [
    ...written.faults.map((fault) => `the schema of what comes is none: ${fault}`),
    ...read.faults.map((fault) => `the schema of what is taken is none: ${fault}`),
  ];
  if (faults.length > 0) return faults.map((fault) => untold(fault));
  if (keyOf(writer) === keyOf(reader)) return [];
  try {
    return new Comparison(nodes, isOnlyDeclared)
      .check([written.root], read.root)
      .map(({ path, reason }) => ({ path: `data${path}`, reason }));
  } catch (error) {
    if (error instanceof TooLarge) return [untold('the schemas are too large to be told, or nested too deep')];
    throw error;
  }
}

function untold(reason: string): Incompatibility {
  return { path: 'data', reason: `cannot be told: ${reason}` };
}

/** Backward: what was written is read by what is new. Forward: what is written anew is read by what was there. */
type Direction = 'backward' | 'forward';

/** Which versions must understand each other: the last two, or, transitive, each with all before it. */
export type Compatibility =
  | 'NONE'
  | 'BACKWARD'
  | 'BACKWARD_TRANSITIVE'
  | 'FORWARD'
  | 'FORWARD_TRANSITIVE'
  | 'FULL'
  | 'FULL_TRANSITIVE';

export interface VersionShape {
  readonly version: number;
  readonly shape: SchemaShape;
}

interface VersionProblem extends Incompatibility {
  readonly direction: Direction;
  /** The earlier version. */
  readonly against: number;
}

export interface Verdict {
  readonly compatible: boolean;
  readonly problems: readonly VersionProblem[];
}

const directions: Readonly<Record<Compatibility, readonly Direction[]>> = {
  NONE: [],
  BACKWARD: ['backward'],
  BACKWARD_TRANSITIVE: ['backward'],
  FORWARD: ['forward'],
  FORWARD_TRANSITIVE: ['forward'],
  FULL: ['backward', 'forward'],
  FULL_TRANSITIVE: ['backward', 'forward'],
};

/** Whether a new version goes with those before it. @param earlier in any order. */
export function checkCompatibility(
  mode: Compatibility,
  next: VersionShape,
  earlier: readonly VersionShape[],
  options: ComparisonOptions = {},
): Verdict {
  const newestFirst = earlier
    .filter(({ version }) => version < next.version)
    .sort((one, other) => other.version - one.version);
  const others = mode.endsWith('_TRANSITIVE') ? newestFirst : newestFirst.slice(0, 1);
  const problems = others.flatMap(({ version, shape }) =>
    directions[mode].flatMap((direction) => {
      const [writer, reader] = direction === 'backward' ? [shape, next.shape] : [next.shape, shape];
      const found = incompatibilities(writer.output, reader.input, options);
      return found.map((problem) => ({ ...problem, direction, against: version }));
    }),
  );
  return { compatible: problems.length === 0, problems };
}
