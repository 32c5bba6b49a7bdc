import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fingerprintOfSchema } from '../../src/event/schema-fingerprint.ts';
import { incompatibilities } from '../../src/schema/compatibility.ts';
import { Nodes, SchemaDocument } from '../../src/schema/read-schema.ts';
import { schemaChanges } from '../../src/schema/schema-changes.ts';
import { takes } from '../../src/schema/takes.ts';
import { customFormats, mutated, randomSchema, valueFor } from './random-schemas.ts';
import type { Pick, Raw } from './random-schemas.ts';

/** Another validator, which decides. */
function validator(schema: Raw): (value: unknown) => boolean {
  // Without `allErrors`, ajv 8.20 takes an empty list that has `contains` beside `prefixItems`.
  const options = { strict: false, logger: false, validateSchema: false, allErrors: true } as const;
  const ajv = new Ajv2020({ ...options, formats: customFormats });
  return ajv.compile(JSON.parse(JSON.stringify(schema, inOtherWords)) as Raw);
}

/**
 * What ajv 8.20 gets wrong in these words: without a limit to what is contained, it remembers what it found in the list before; and where
 * items have a type, it takes equal items of other types for different ones.
 */
function inOtherWords(_: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const limited = 'contains' in value && !('maxContains' in value) ? { ...value, maxContains: 1_000 } : value;
  if (!('uniqueItems' in limited && 'items' in limited)) return limited;
  const { uniqueItems, ...rest } = limited;
  return { ...rest, allOf: [...('allOf' in rest ? (rest.allOf as readonly unknown[]) : []), { uniqueItems }] };
}

/** Without the bias to what is small, which here is to what is alike. */
function evenly(max: number): fc.Arbitrary<number> {
  return fc.noBias(fc.nat(max));
}

const runs = process.env['SOAK'] === undefined ? 1_000 : 100_000;

function forRandom(check: (pick: Pick) => void): void {
  fc.assert(
    fc.property(fc.gen(), (random) => check((count) => random(evenly, count - 1))),
    // Schemas are long to shrink, and short enough to read.
    { numRuns: runs, endOnFailure: true },
  );
}

describe('of random schemas', () => {
  test('what is told to be taken is taken, whatever is written', () => {
    const told = { compatible: 0, refuted: 0, unrefuted: 0 };
    forRandom((pick) => {
      const one = randomSchema(pick);
      const other = mutated(pick, one);
      const [writer, reader] = pick(2) === 0 ? [one, other] : [other, one];
      const problems = incompatibilities(writer, reader);
      const isRead = validator(reader);
      const written = valuesFor(pick, writer, reader).filter(validator(writer));
      const refused = written.filter((value) => !isRead(value));
      if (problems.length === 0) {
        if (written.length > 5) told.compatible++;
        expect(refused, `${JSON.stringify(writer)} by ${JSON.stringify(reader)}`).toEqual([]);
      } else if (refused.length > 0) told.refuted++;
      else if (written.length > 0) told.unrefuted++;
    });
    // Many pairs are told to be compatible, many are not, and of most of these a value shows that they are not.
    expect(told.compatible).toBeGreaterThan(runs / 4);
    expect(told.refuted).toBeGreaterThan(runs / 8);
    expect(told.unrefuted).toBeLessThan(runs / 12);
  });

  test('values are taken as by another validator, where it is told', () => {
    let told = 0;
    forRandom((pick) => {
      const schema = randomSchema(pick);
      const isValid = validator(schema);
      const { root, faults } = new SchemaDocument(schema, new Nodes());
      expect(faults).toEqual([]);
      for (const value of valuesFor(pick, schema, schema)) {
        const answer = takes(root, value, () => undefined);
        if (answer === undefined) continue;
        told++;
        expect(answer, `${JSON.stringify(value)} by ${JSON.stringify(schema)}`).toBe(isValid(value));
      }
    });
    expect(told).toBeGreaterThan(runs * 20);
  });

  test('there is a change to tell of just those with other fingerprints, and no problem of those with the same', () => {
    forRandom((pick) => {
      const before = randomSchema(pick);
      const after = mutated(pick, before);
      const isSame = fingerprintOfSchema(before) === fingerprintOfSchema(after);
      expect(schemaChanges(before, after).length === 0).toBe(isSame);
      if (isSame)
        expect(
          valuesFor(pick, before, after)
            .filter(validator(before))
            .filter((value) => !validator(after)(value)),
        ).toEqual([]);
    });
  });
});

function valuesFor(pick: Pick, one: Raw, other: Raw) {
  return Array.from({ length: 40 }, (_, index) => {
    const schema = index % 3 === 0 ? other : one;
    return valueFor(pick, schema, schema, 4);
  });
}
