/** What a schema is, as far as it says so. */
import { toHex, toUtf8 } from './bytes.ts';
import type { StandardSchemaV1 } from './standard-schema.ts';
import { sha256 } from '../ground/digest.ts';

/** Of one or several schemas: of their JSON Schemas where they have one (https://standardschema.dev/json-schema). */
export function schemaDigest(schemas: readonly StandardSchemaV1[]): string {
  return toHex(sha256(toUtf8(schemas.map(jsonSchemaOf).join('\n'))));
}

function jsonSchemaOf(schema: StandardSchemaV1): string {
  const standard = schema['~standard'] as StandardSchemaV1['~standard'] & {
    readonly jsonSchema?: { readonly output?: (options: { readonly target: string }) => unknown };
  };
  try {
    return JSON.stringify(standard.jsonSchema?.output?.({ target: 'draft-2020-12' }) ?? standard.vendor);
  } catch {
    // What it transforms to, JSON Schema cannot say.
    return standard.vendor;
  }
}
