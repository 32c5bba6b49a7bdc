/** What a schema is, as far as it says so. */
import { toHex, toUtf8 } from './bytes.ts';
import { shapeOf } from './json-schema.ts';
import { fingerprintOfSchema } from './schema-fingerprint.ts';
import type { StandardSchemaV1 } from './standard-schema.ts';
import { sha256 } from '../ground/digest.ts';

/** Of one or several schemas: of what they give, where they can say it. */
export function schemaDigest(schemas: readonly StandardSchemaV1[]): string {
  return toHex(sha256(toUtf8(schemas.map(digestOf).join('\n'))));
}

function digestOf(schema: StandardSchemaV1): string {
  const shape = shapeOf(schema);
  // What it transforms to, JSON Schema cannot say.
  return shape === undefined ? schema['~standard'].vendor : fingerprintOfSchema(shape.output);
}
