/** What a receipt keeps of a command, so that its repetition can be answered. */
import { fromUtf8, toUtf8 } from '../event/bytes.ts';
import { toFaithfulJson } from '../event/json.ts';
import type { Rejection } from './command.ts';

/** A rejection, and by which of several commands. */
export interface Rejected extends Rejection {
  readonly index: number;
}

export type Outcome =
  | {
      readonly kind: 'accepted';
      /** Events that it led to. */
      readonly eventCount: number;
      /** Events of other commands that were appended together with them, behind them. */
      readonly eventsBehind: number;
      /** Of its last stream; 0 where there is none. */
      readonly version: number;
    }
  | Rejected;

/** @throws {EngineError} `data_unfaithful` if a rejection's details are not JSON. */
export function encodeOutcome(outcome: Outcome): Uint8Array {
  return toUtf8(toFaithfulJson(outcome, 'rejection'));
}

export function decodeOutcome(bytes: Uint8Array): Outcome {
  return JSON.parse(fromUtf8(bytes)) as Outcome;
}
