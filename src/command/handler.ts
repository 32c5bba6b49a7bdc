import type { StandardSchemaV1 } from '../event/standard-schema.ts';
import { EngineError } from '../ground/errors.ts';
import type { AggregateDecideContext } from './command.ts';

/** How a command is decided, whatever its types. */
export type AnyDecide = (state: unknown, input: unknown, context: AggregateDecideContext) => unknown;

/** What the engine needs of a declared command. */
export interface Handler {
  /** For people: `account.withdraw`. */
  readonly name: string;
  readonly input: StandardSchemaV1;
  readonly idempotencyWindowMs: number | undefined;
  readonly decide: AnyDecide;
}

/** @throws {EngineError} `definition_invalid` */
export function handlerOf(
  name: string,
  given: { readonly input: StandardSchemaV1; readonly idempotencyWindowMs?: number; readonly decide: AnyDecide },
): Handler {
  const { input, idempotencyWindowMs, decide } = given;
  const invalid = (reason: string) => new EngineError('definition_invalid', { name, reason });
  if (typeof input?.['~standard']?.validate !== 'function') throw invalid('input is no Standard Schema');
  if (typeof decide !== 'function') throw invalid('decide is not a function');
  if (idempotencyWindowMs !== undefined && !(idempotencyWindowMs > 0))
    throw invalid(`idempotencyWindowMs is ${idempotencyWindowMs}, expected a positive number or Infinity`);
  return { name, input, idempotencyWindowMs, decide };
}
