import type { RecordedEvent } from '../event/codec.ts';
import type { EventMetadata } from '../event/event.ts';
import type { Json } from '../event/json.ts';
import { EngineError } from '../ground/errors.ts';

/** What is to be known of where a command came from; its events carry it. Further keys are yours. */
export interface CommandMetadata {
  /** The same for everything that one request sets off. Default: that of `causedBy`, else the command's id. */
  readonly correlationId?: string | undefined;
  /** The event or command that caused this one. Default: the id of `causedBy`. */
  readonly causationId?: string | undefined;
  /** Who wants it. Stored as it is: not for personal data that must be erasable. */
  readonly actor?: string | undefined;
  /** Default: a new id. */
  readonly commandId?: string | undefined;
  /** W3C Trace Context: `00-<32 hexadecimal digits>-<16>-<2>`. */
  readonly traceparent?: string | undefined;
  readonly [key: string]: Json | undefined;
}

const traceparentPattern = /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-.*)?$/;

/** @throws {EngineError} `option_invalid` */
export function checkMetadata(given: CommandMetadata): void {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw new EngineError('option_invalid', { option: 'metadata', value: given, expected: 'an object' });
  }
  for (const name of ['correlationId', 'causationId', 'actor', 'commandId', 'traceparent']) {
    const value = given[name];
    if (value !== undefined && typeof value !== 'string') throw invalid(name, value, 'a string');
  }
  const { traceparent } = given;
  if (traceparent !== undefined && !traceparentPattern.test(traceparent))
    throw invalid('traceparent', traceparent, 'a W3C traceparent, 00-<trace id>-<parent id>-<flags>');
}

/** @throws {EngineError} `option_invalid` */
export function eventMetadata(
  given: CommandMetadata = {},
  causedBy: RecordedEvent | undefined,
  newId: () => string,
): EventMetadata {
  checkMetadata(given);
  if (causedBy !== undefined && !isRecorded(causedBy))
    throw new EngineError('option_invalid', { option: 'causedBy', value: causedBy, expected: 'a recorded event' });
  const commandId = given.commandId ?? newId();
  const correlationId = given.correlationId ?? causedBy?.metadata.correlationId ?? commandId;
  const causationId = given.causationId ?? causedBy?.id;
  const all = { ...given, commandId, correlationId, causationId };
  return Object.freeze(Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)));
}

/** Spreading or cloning an event leaves its id behind. */
function isRecorded(event: RecordedEvent): boolean {
  return typeof event?.id === 'string' && typeof (event.metadata ?? undefined) === 'object';
}

function invalid(name: string, value: unknown, expected: string): EngineError {
  return new EngineError('option_invalid', { option: `metadata.${name}`, value, expected });
}
