import type { EventEncoder } from '../event/codec.ts';
import type { EventMetadata } from '../event/event.ts';
import { EngineError } from '../ground/errors.ts';
import type { ExpectedVersion, ReceiptDraft } from '../store/port.ts';
import type { Boundary } from './boundary.ts';
import type { BatchReceipt, Command } from './command.ts';
import type { Companion } from './companion.ts';
import type { Deadline } from './deadline.ts';
import type { Handler } from './handler.ts';

/** A command whose input is valid, and all that is needed to decide it. */
export interface Step {
  readonly handler: Handler;
  readonly input: unknown;
  readonly boundary: Boundary;
  readonly encoder: EventEncoder;
}

/** The idempotency key of a plan, and what tells its commands from others. */
export interface PlanKey {
  readonly key: string;
  readonly digest: Uint8Array;
  readonly windowMs: number;
  /** Whoever releases the receipt. */
  readonly owner?: string | undefined;
}

/** Commands that are done together or not at all, on their way. */
export class Plan {
  readonly commands: readonly Command[];
  readonly steps: readonly Step[];
  readonly metadata: EventMetadata;
  readonly key: PlanKey | undefined;
  /** What the caller explicitly expects of the first step's stream. */
  readonly expected: ExpectedVersion | undefined;
  /** What is appended with it. */
  readonly companion: Companion | undefined;
  readonly deadline: Deadline;
  /** What its steps are decided upon, each once. */
  readonly boundaries: readonly Boundary[];
  /** Lost races so far. */
  conflicts = 0;
  /** Whether its append is on its way, with others or alone; then an abort of it is told by the append itself. */
  flight: 'none' | 'alone' | 'joint' = 'none';
  #isSettled = false;
  readonly #settled = Promise.withResolvers<BatchReceipt>();

  constructor(given: Pick<Plan, 'commands' | 'steps' | 'metadata' | 'key' | 'expected' | 'companion' | 'deadline'>) {
    this.commands = given.commands;
    this.steps = given.steps;
    this.metadata = given.metadata;
    this.key = given.key;
    this.expected = given.expected;
    this.companion = given.companion;
    this.deadline = given.deadline;
    this.boundaries = [...new Map(this.steps.map(({ boundary }) => [boundary.key, boundary])).values()];
    this.deadline.signal.addEventListener('abort', () => this.#abort(), { once: true });
  }

  get settled(): Promise<BatchReceipt> {
    return this.#settled.promise;
  }

  get isSettled(): boolean {
    return this.#isSettled;
  }

  settle(receipt: BatchReceipt): void {
    this.#isSettled = true;
    this.#settled.resolve(receipt);
  }

  fail(error: unknown): void {
    this.#isSettled = true;
    this.#settled.reject(error);
  }

  #abort(): void {
    if (this.flight === 'none') this.fail(this.deadline.signal.reason);
    if (this.flight === 'joint') this.fail(new EngineError('append_aborted', { outcome: 'unknown' }));
  }

  /** What its append leaves behind, if it has a key. @param now in ms since the epoch. */
  receiptDraft(outcome: () => Uint8Array, now: number): readonly ReceiptDraft[] {
    if (this.key === undefined) return [];
    const { key, digest, windowMs, owner } = this.key;
    const expiresAt = windowMs === Infinity ? null : Math.ceil(now + windowMs);
    return [{ key, commandDigest: digest, outcome: outcome(), expiresAt, ...(owner !== undefined && { owner }) }];
  }
}
