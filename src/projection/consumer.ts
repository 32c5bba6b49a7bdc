/** What every consumer of events has, whatever it makes of them: a projection, tables of the user's own, a reactor. */
import type { RecordedFields } from '../event/codec.ts';
import { EngineError } from '../ground/errors.ts';
import { checkDocumentKey } from '../store/state-commit.ts';
import type { Interest } from './source.ts';

/** What is done about an event that a consumer fails at, once all attempts are used up. */
export type FailurePolicy =
  /** The consumer stands still at that event until somebody has acted; the others go on. */
  | 'stop'
  /** The event is put aside, with all later ones of its key, and the rest goes on. */
  | 'park';

/** What is done about an event that this code does not know: of a type that its aggregate does not declare, or of a newer version. */
export type UnknownPolicy =
  /** The consumer stands still at it, until code that knows it has taken over. */
  | 'stop'
  /** It is put aside. */
  | 'park'
  /** It is taken as it is: a newer version by the handler of its type, another type by `on.$unknown`. */
  | 'raw';

/** What may be declared of every consumer. */
export interface ConsumerOptions {
  /** Attempts at an event before `onFailure`: an integer, at least 1. Default 3. */
  readonly attempts?: number;
  /** Default `'stop'`. */
  readonly onFailure?: FailurePolicy;
  /** Default `'stop'`. Without `on.$unknown`, `'raw'` is for newer versions alone. */
  readonly onUnknown?: UnknownPolicy;
  /** How many parts, by key, may be worked on at the same time, by as many workers: 1 to 256. Default 1. Fixed once it has begun. */
  readonly slots?: number;
  /** What it promises: broken, a warning is given (`hooks.consumer`). Default: nothing. */
  readonly sla?: { readonly maxLagMs: number };
}

/** How a consumer is run. `async`: after the append; `inline`: in its transaction; `live`: in the memory of every process. */
export type ConsumerMode = 'async' | 'inline' | 'live';

export interface Consumer {
  readonly kind: 'projection' | 'tables' | 'reactor' | 'saga';
  readonly name: string;
  /** Of the definition. */
  readonly version: number;
  readonly mode: ConsumerMode;
  readonly interest: Interest;
  readonly attempts: number;
  readonly onFailure: FailurePolicy;
  readonly onUnknown: UnknownPolicy;
  readonly slots: number;
  readonly maxLagMs: number | undefined;
  /** Whose order is kept: events of one key are taken one after another, in the order of their positions. */
  keysOf(event: RecordedFields): readonly string[];
}

const namePattern = /^[a-z][A-Za-z0-9_]{0,63}$/;
const slotsMax = 256;

/** @throws {EngineError} `definition_invalid` */
export function checkConsumer(
  name: string,
  version: number,
  { attempts = 3, onFailure = 'stop', onUnknown = 'stop', slots = 1, sla }: ConsumerOptions,
): Pick<Consumer, 'attempts' | 'onFailure' | 'onUnknown' | 'slots' | 'maxLagMs'> {
  const refuse = (reason: string) => new EngineError('definition_invalid', { name: String(name), reason });
  if (typeof name !== 'string' || !namePattern.test(name))
    throw refuse('its name must match [a-z][A-Za-z0-9_]*, with at most 64 characters');
  requireInteger('version', version, Number.MAX_SAFE_INTEGER);
  requireInteger('attempts', attempts, 1_000);
  requireInteger('slots', slots, slotsMax);
  if (onFailure !== 'stop' && onFailure !== 'park') throw refuse(`onFailure is 'stop' or 'park'`);
  if (!['stop', 'park', 'raw'].includes(onUnknown)) throw refuse(`onUnknown is 'stop', 'park' or 'raw'`);
  const maxLagMs = sla?.maxLagMs;
  if (sla !== undefined && !(typeof maxLagMs === 'number' && maxLagMs > 0))
    throw refuse('sla.maxLagMs is a positive number of ms');
  return { attempts, onFailure, onUnknown, slots, maxLagMs };

  function requireInteger(option: string, value: number, max: number): void {
    if (!Number.isSafeInteger(value) || value < 1 || value > max)
      throw refuse(`${option} is an integer from 1 to ${max}`);
  }
}

/** The keys that `key` gives for an event, each once. @throws {EngineError} `name_invalid`; a TypeError for what is no string. */
export function distinctKeys(given: unknown): readonly string[] {
  const keys: readonly unknown[] = Array.isArray(given) ? given : [given];
  for (const key of keys) {
    if (typeof key === 'string' && key !== '') {
      checkDocumentKey(key);
      continue;
    }
    throw new TypeError('`key` must return a string that is not empty, or a list of such');
  }
  return keys.length < 2 ? (keys as readonly string[]) : [...new Set(keys as readonly string[])];
}

/** In which slot a key is worked on: FNV-1a over its UTF-16 units. Must never change: other workers may run other versions. */
export function slotOf(key: string, slots: number): number {
  if (slots === 1) return 0;
  let hash = 0x811c9dc5;
  for (let index = 0; index < key.length; index++) {
    hash = Math.imul(hash ^ key.charCodeAt(index), 0x01000193);
  }
  return (hash >>> 0) % slots;
}
