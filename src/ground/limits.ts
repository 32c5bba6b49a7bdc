import { EngineError } from './errors.ts';

/** The operating values of a store. Each can be set, also to Infinity. */
export interface Limits {
  /** Bytes of an event's data and metadata together. Default 65,536; more is refused. */
  readonly eventBytes: number;
  /** Events of one stream kept in the store. Default 100,000; more is refused. */
  readonly eventsPerStream: number;
  /** Events in one append. Default 1,000; more is refused. */
  readonly eventsPerAppend: number;
  /** Streams in the store. Default 10,000; more is only warned about. */
  readonly streams: number;
  /** Default 32; more is refused. */
  readonly tagsPerEvent: number;
  /** Bytes of UTF-8 in one tag. Default 256; more is refused. */
  readonly tagBytes: number;
  /** Appends of this process waiting to be committed. Default 100,000; more is refused. */
  readonly pendingAppends: number;
  /** Commands of this process that wait or run. Default 100,000; more is refused. */
  readonly pendingCommands: number;
  /** Projections of one engine, tables of the user's own among them. Default 64; more is refused. */
  readonly projections: number;
  /** How many times as fast as it was recorded a replay with a pace may be. Default 100; more is refused. */
  readonly replaySpeed: number;
}

export const defaultLimits: Limits = {
  eventBytes: 65_536,
  eventsPerStream: 100_000,
  eventsPerAppend: 1_000,
  streams: 10_000,
  tagsPerEvent: 32,
  tagBytes: 256,
  pendingAppends: 100_000,
  pendingCommands: 100_000,
  projections: 64,
  replaySpeed: 100,
};

/** A limit is near (from 80 % of it) or, where its action is to warn, passed. */
export interface LimitWarning {
  readonly limit: keyof Limits;
  readonly value: number;
  readonly max: number;
  /** What is near its limit: a stream's name, an event type, the store. */
  readonly subject: string;
  readonly message: string;
}

/** @throws {EngineError} `option_invalid` for anything but a positive integer or Infinity. */
export function resolveLimits(overrides: Partial<Limits> = {}): Limits {
  for (const [name, value] of Object.entries(overrides)) {
    if (!Object.hasOwn(defaultLimits, name)) {
      throw new EngineError('option_invalid', {
        option: `limits.${name}`,
        value,
        expected: `one of ${Object.keys(defaultLimits).join(', ')}`,
      });
    }
    if (value !== Infinity && !(Number.isSafeInteger(value) && value >= 1)) {
      throw new EngineError('option_invalid', {
        option: `limits.${name}`,
        value,
        expected: 'an integer of at least 1, or Infinity',
      });
    }
  }
  return { ...defaultLimits, ...overrides };
}

const remembered = 1_000;

/** Refuses or warns, and warns about the same thing only once. */
export class LimitWatch {
  readonly limits: Limits;
  readonly #warn: (warning: LimitWarning) => void;
  readonly #warned = new Set<string>();

  constructor(limits: Limits, warn: (warning: LimitWarning) => void) {
    this.limits = limits;
    this.#warn = warn;
  }

  /** @throws {EngineError} `limit_exceeded` */
  refuseAbove(limit: keyof Limits, value: number, subject: string): void {
    const max = this.limits[limit];
    if (value > max) throw new EngineError('limit_exceeded', { limit, value, max, subject });
    this.warnNear(limit, value, subject);
  }

  warnNear(limit: keyof Limits, value: number, subject: string): void {
    const max = this.limits[limit];
    if (value < max * 0.8) return;
    const state = value > max ? 'exceeds' : 'is near';
    const key = `${state} ${limit} ${subject}`;
    if (this.#warned.has(key)) return;
    if (this.#warned.size >= remembered) this.#warned.clear();
    this.#warned.add(key);
    const message = `${subject}: ${value} ${state} ${limit} = ${max}; raise it in \`limits\` when opening the store.`;
    try {
      this.#warn({ limit, value, max, subject, message });
    } catch {
      // A warning that nobody could take must not undo what it is about.
    }
  }
}
