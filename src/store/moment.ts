import { checkKeys } from '../ground/check-options.ts';
import { EngineError } from '../ground/errors.ts';
import type { Position, ReadQuery } from './port.ts';

/** A moment of a stream or of the store: as of a version of the one, a position of the other, or a time. */
export type Moment =
  | { readonly version: number }
  | { readonly position: Position }
  /** A Date, or ms since the epoch: everything recorded at or before it. */
  | { readonly time: Date | number };

/** Where an event stands. */
export interface Place {
  readonly version: number;
  readonly position: Position;
  readonly recordedAt: number;
}

const momentKeys = ['version', 'position', 'time'];

/** What had happened by then. @throws {EngineError} `option_invalid` */
export function untilMoment(at: Moment): ReadQuery {
  checkMoment(at);
  if ('version' in at) return { untilVersion: at.version };
  if ('position' in at) return { until: at.position };
  return { recordedUntil: Number(at.time) };
}

/** Whether an event had happened by then. */
export function isBy(at: Moment, { version, position, recordedAt }: Place): boolean {
  if ('version' in at) return version <= at.version;
  if ('position' in at) return position <= at.position;
  return recordedAt <= Number(at.time);
}

/** @param option what it was given as. @throws {EngineError} `option_invalid` */
export function checkMoment(at: Moment, option = 'at'): void {
  checkKeys(option, at, momentKeys);
  const [given, ...others] = Object.entries(at) as [string, unknown][];
  const refuse = (what: string, value: unknown, expected: string) =>
    new EngineError('option_invalid', { option: what, value, expected });
  if (given === undefined || others.length > 0) throw refuse(option, at, 'one of { version }, { position }, { time }');
  const [unit, value] = given;
  if (unit === 'time') {
    if (Number.isNaN(value instanceof Date ? value.getTime() : typeof value === 'number' ? value : NaN))
      throw refuse(`${option}.time`, value, 'a Date, or milliseconds since the epoch');
  } else if (value !== Infinity && !(Number.isSafeInteger(value) && (value as number) >= 0))
    throw refuse(`${option}.${unit}`, value, 'an integer of at least 0, or Infinity');
}
