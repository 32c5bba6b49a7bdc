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

/** @throws {EngineError} `option_invalid` */
export function checkMoment(at: Moment): void {
  checkKeys('at', at, momentKeys);
  if (Object.keys(at).length !== 1)
    throw new EngineError('option_invalid', {
      option: 'at',
      value: at,
      expected: 'one of { version }, { position }, { time }',
    });
}
