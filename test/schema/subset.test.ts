import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { incompatibilities } from '../../src/schema/compatibility.ts';
import { customFormats, mutated, randomSchema, valueFor } from './random-schemas.ts';
import type { Pick, Raw } from './random-schemas.ts';

/** Another validator, which decides. */
function validator(schema: Raw): (value: unknown) => boolean {
  // Without `allErrors`, ajv 8.20 takes an empty list that has `contains` beside `prefixItems`.
  const options = { strict: false, logger: false, validateSchema: false, allErrors: true } as const;
  const ajv = new Ajv2020({ ...options, formats: customFormats });
  return ajv.compile(schema);
}

/** Without the bias to what is small, which here is to what is alike. */
function evenly(max: number): fc.Arbitrary<number> {
  return fc.noBias(fc.nat(max));
}

const runs = Number(process.env['SCHEMA_RUNS'] ?? 4_000);

describe('what is told to be taken', () => {
  test('is taken, whatever is written', () => {
    const told = { compatible: 0, valuable: 0, refuted: 0, unrefuted: 0 };
    fc.assert(
      fc.property(fc.gen(), (random) => {
        const pick: Pick = (count) => random(evenly, count - 1);
        const one = randomSchema(pick);
        const other = mutated(pick, one);
        const [writer, reader] = pick(2) === 0 ? [one, other] : [other, one];
        const problems = incompatibilities(writer, reader);
        const isWritten = validator(writer);
        const isRead = validator(reader);
        const values = Array.from({ length: 40 }, (_, index) =>
          valueFor(pick, index % 3 === 0 ? reader : writer, index % 3 === 0 ? reader : writer, 4),
        ).filter((value) => isWritten(value));
        const refused = values.filter((value) => !isRead(value));
        if (problems.length === 0) {
          told.compatible++;
          if (values.length > 5) told.valuable++;
          expect(refused, `${JSON.stringify(writer)} by ${JSON.stringify(reader)}`).toEqual([]);
        } else if (refused.length > 0) told.refuted++;
        else if (values.length > 0) told.unrefuted++;
      }),
      { numRuns: runs, endOnFailure: false },
    );
    if (process.env['SCHEMA_RUNS'] !== undefined) console.log(told);
    // Neither is everything refused, nor nothing.
    expect(told.valuable).toBeGreaterThan(runs / 8);
    expect(told.refuted).toBeGreaterThan(runs / 10);
  });
});
