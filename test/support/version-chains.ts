/** Random chains of versions of one type of event: each version is made of the one before by a change that can be undone. */
import fc from 'fast-check';
import { z } from 'zod';
import { versions } from '../../src/index.ts';
import type { StandardSchemaV1 } from '../../src/index.ts';
import type { AnyCast } from '../../src/event/event-versions.ts';

type Data = Readonly<Record<string, unknown>>;
type Shape = Readonly<Record<string, z.ZodType>>;

/** What one version does to the one before. */
type Change =
  | { readonly kind: 'add'; readonly field: string }
  | { readonly kind: 'rename'; readonly from: number; readonly to: string }
  | { readonly kind: 'nest'; readonly field: number }
  | { readonly kind: 'list'; readonly field: number };

const change: fc.Arbitrary<Change> = fc.oneof(
  fc.record({ kind: fc.constant('add' as const), field: fc.stringMatching(/^f[a-z]{3}$/) }),
  fc.record({ kind: fc.constant('rename' as const), from: fc.nat(9), to: fc.stringMatching(/^r[a-z]{3}$/) }),
  fc.record({ kind: fc.constant('nest' as const), field: fc.nat(9) }),
  fc.record({ kind: fc.constant('list' as const), field: fc.nat(9) }),
);

export const changes: fc.Arbitrary<readonly Change[]> = fc.array(change, { maxLength: 5 });

interface Version {
  readonly shape: Shape;
  readonly up: (data: Data) => Data;
  readonly down: (data: Data) => Data;
}

/** @returns undefined where the change can't be made. */
function changed(shape: Shape, one: Change): Version | undefined {
  const fields = Object.keys(shape);
  const pick = (index: number) => fields[index % fields.length] as string;
  switch (one.kind) {
    case 'add': {
      const { field } = one;
      if (field in shape) return undefined;
      const without = (data: Data) => Object.fromEntries(Object.entries(data).filter(([name]) => name !== field));
      return { shape: { ...shape, [field]: z.literal(7) }, up: (data) => ({ ...data, [field]: 7 }), down: without };
    }
    case 'rename': {
      const from = pick(one.from);
      if (one.to in shape) return undefined;
      return replaced(shape, from, one.to, (schema) => schema, [(value) => value, (value) => value]);
    }
    case 'nest': {
      const field = pick(one.field);
      const out = (value: unknown) => (value as { readonly in: unknown }).in;
      return replaced(shape, field, field, (schema) => z.strictObject({ in: schema }), [
        (value) => ({ in: value }),
        out,
      ]);
    }
    case 'list': {
      const field = pick(one.field);
      const first = (value: unknown) => (value as readonly unknown[])[0];
      return replaced(shape, field, field, (schema) => z.tuple([schema]), [(value) => [value], first]);
    }
    default:
      return one satisfies never;
  }
}

function replaced(
  shape: Shape,
  from: string,
  to: string,
  schemaOf: (schema: z.ZodType) => z.ZodType,
  [up, down]: readonly [(value: unknown) => unknown, (value: unknown) => unknown],
): Version {
  const { [from]: schema, ...others } = shape;
  return {
    shape: { ...others, [to]: schemaOf(schema as z.ZodType) },
    up: ({ [from]: value, ...rest }) => ({ ...rest, [to]: up(value) }),
    down: ({ [to]: value, ...rest }) => ({ ...rest, [from]: down(value) }),
  };
}

export interface Chain {
  /** What is declared while only so many versions are known, by their number less one. */
  readonly declared: readonly StandardSchemaV1[];
  readonly schemas: readonly z.ZodType[];
  /** Data of the first version, as data of the version with this number. */
  dataAt(version: number, first: Data): Data;
}

/** Data of the first version: `id` and `amount`. */
export function chainOf(list: readonly Change[]): Chain {
  const first: Shape = { id: z.string(), amount: z.number() };
  const made: Version[] = [];
  for (const one of list) {
    const next = changed(made.at(-1)?.shape ?? first, one);
    if (next !== undefined) made.push(next);
  }
  const schemas = [first, ...made.map(({ shape }) => shape)].map((shape) => z.strictObject(shape));
  const declared: StandardSchemaV1[] = [versions(schemas[0] as StandardSchemaV1)];
  for (const [index, { up, down }] of made.entries()) {
    const before = declared.at(-1) as ReturnType<typeof versions>;
    declared.push(before.next(schemas[index + 1] as StandardSchemaV1, { up: up as AnyCast, down: down as AnyCast }));
  }
  return {
    declared,
    schemas,
    dataAt: (version, data) => made.slice(0, version - 1).reduce((value, { up }) => up(value), data),
  };
}
