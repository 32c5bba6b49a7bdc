import { validate } from '../event/standard-schema.ts';
import type { SchemaResult, StandardSchemaV1 } from '../event/standard-schema.ts';
import { EngineError } from '../ground/errors.ts';

/** What a schema makes of a value. @throws {TypeError} if it is asynchronous, as a scenario is not. */
export function validNow(schema: StandardSchemaV1, value: unknown, what: string): SchemaResult<unknown> {
  const failed = (reason: string, cause: unknown) =>
    new EngineError('definition_invalid', { name: what, reason }, { cause });
  const result = validate(schema, value, failed);
  if (result instanceof Promise) {
    void result.catch(() => undefined);
    throw new TypeError(`The schema of ${what} is asynchronous: a scenario of a saga is not`);
  }
  return result;
}
