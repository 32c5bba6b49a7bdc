import { describe } from '../ground/errors.ts';
import type { EngineError } from '../ground/errors.ts';

/**
 * The Standard Schema interface, version 1 (https://standardschema.dev): what zod, valibot and
 * arktype implement. Kept here, as its specification suggests, so that the package has no dependency.
 */
export interface StandardSchemaV1<Input = unknown, Output = Input> {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>;
    readonly types?: { readonly input: Input; readonly output: Output } | undefined;
  };
}

export type SchemaResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly SchemaIssue[] };

export interface SchemaIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/**
 * What a schema says of a value; a promise only if it is asynchronous. A schema that fails says nothing.
 * @throws what `failed` makes of its error.
 */
export function validate(
  schema: StandardSchemaV1,
  value: unknown,
  failed: (reason: string, cause: unknown) => EngineError,
): SchemaResult<unknown> | Promise<SchemaResult<unknown>> {
  const fail = (error: unknown): never => {
    throw failed(`its schema failed: ${describe(error)}`, error);
  };
  try {
    const result = schema['~standard'].validate(value);
    return result instanceof Promise ? result.catch(fail) : result;
  } catch (error) {
    return fail(error);
  }
}

/** What a schema takes. */
export type SchemaInput<Schema extends StandardSchemaV1> = NonNullable<Schema['~standard']['types']>['input'];

/** What a schema gives. */
export type SchemaOutput<Schema extends StandardSchemaV1> = NonNullable<Schema['~standard']['types']>['output'];
