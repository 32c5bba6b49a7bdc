import type { UntypedEvent } from '../event/codec.ts';
import { EngineError, describe } from '../ground/errors.ts';
import type { AggregateDecideContext, Rejection } from './command.ts';
import type { Handler } from './handler.ts';

/** An event as `decide` returned it; a decision's says where it goes. */
export interface EmittedEvent extends UntypedEvent {
  readonly stream?: string;
}

/**
 * Asks the domain, and makes sure that what it answers is an answer.
 * @throws {EngineError} `decide_failed`
 */
export function decide(
  handler: Handler,
  state: unknown,
  input: unknown,
  context: AggregateDecideContext,
): Rejection | readonly EmittedEvent[] {
  const failed = (reason: string, cause?: unknown) =>
    new EngineError('decide_failed', { command: handler.name, reason }, cause === undefined ? {} : { cause });
  let decided: unknown;
  try {
    decided = handler.decide(state, input, context);
  } catch (error) {
    throw failed(describe(error), error);
  }
  if (decided instanceof Promise) {
    decided.catch(() => {});
    throw failed('it returned a promise');
  }
  if (Array.isArray(decided)) {
    const stranger = decided.findIndex((event) => typeof (event as EmittedEvent | null)?.type !== 'string');
    if (stranger !== -1) throw failed(`item ${stranger} of what it returned is no event`);
    return decided as readonly EmittedEvent[];
  }
  if (isRejection(decided)) return decided;
  throw failed('it returned neither a list of events nor a rejection');
}

function isRejection(decided: unknown): decided is Rejection {
  const { kind, code } = (decided ?? {}) as Partial<Rejection>;
  return kind === 'rejected' && typeof code === 'string';
}
