/** Who works on what: slots are leased, so that each has one worker, and one that dies is replaced. */
import { delay } from '../ground/clock.ts';
import { hasCode } from '../ground/errors.ts';
import type { Position } from '../store/port.ts';
import { Waiters } from '../store/waiters.ts';
import { Build, definitionName } from './build.ts';
import { handlingOf } from './handling.ts';
import type { HandlingOptions } from './handling.ts';
import type { Probe } from './probe.ts';
import { typesLease } from './registry.ts';
import type { AnyConsumer, Registration, Registry } from './registry.ts';
import { SlotRunner } from './runner.ts';
import type { RunnerContext } from './runner.ts';
import { FairShare } from './share.ts';

export interface WorkersOptions extends HandlingOptions {
  /** Names this worker among all. */
  readonly owner: string;
  /** How long a slot is another's before somebody else may take it, in ms. */
  readonly leaseMs: number;
}

const restartMs = 100;
const restartMaxMs = 10_000;
/** How often in a row the store may fail at the same place before an event is suspected. */
const suspicionsMax = 4;

/** A consumer that is worked on in this process. */
export interface Employed {
  readonly consumer: AnyConsumer;
  readonly registration: Registration;
  readonly probe: Probe;
}

/** All the workers of this process on one state store. */
export class Workers {
  readonly #registry: Registry;
  readonly #context: RunnerContext;
  readonly #options: WorkersOptions;
  readonly #controller = new AbortController();
  readonly #bell = new Waiters();
  #rings: Position = 0;
  readonly #employed = new Map<string, Employed>();
  /** By build: what ends its workers. */
  readonly #builds = new Map<string, AbortController>();
  readonly #running = new Set<Promise<void>>();

  constructor(
    registry: Registry,
    context: Omit<RunnerContext, 'state' | 'control' | 'rings' | 'rung' | 'delay'>,
    options: WorkersOptions,
  ) {
    this.#registry = registry;
    this.#options = options;
    this.#context = {
      ...context,
      state: registry.control.state,
      control: registry.control,
      rings: () => this.#rings,
      rung: (after, signal) => this.#rung(after, signal),
      delay,
    };
  }

  /** @param rings how often something had changed before it was looked up who is employed. */
  start(employed: readonly Employed[], rings: Position): void {
    this.#rings = rings;
    for (const one of employed) this.#employed.set(definitionName(one.consumer), one);
    for (const { registration, consumer } of employed) this.#staff(consumer, registration);
    this.#track(this.#listen());
  }

  /** Resolves once something about the consumers of this store has changed since `after`. */
  async #rung(after: Position, signal: AbortSignal): Promise<Position> {
    return this.#rings > after ? this.#rings : this.#bell.wait(after, signal);
  }

  get rings(): Position {
    return this.#rings;
  }

  /** Hears of what was changed, also by other processes. */
  async #listen(): Promise<void> {
    const { signal } = this.#controller;
    for (let failures = 0; !signal.aborted;) {
      try {
        const rings = await this.#registry.control.changed(this.#rings, signal);
        for (const { consumer } of this.#employed.values())
          this.#staff(consumer, await this.#registry.registration(consumer));
        // Only now: what was not looked at is heard of again.
        this.#rings = rings;
        this.#bell.reached(rings);
        failures = 0;
      } catch (error) {
        if (signal.aborted || hasCode(error, 'store_closed')) return;
        failures += 1;
        await delay(Math.min(restartMaxMs, restartMs * 2 ** failures), signal).catch(() => undefined);
      }
    }
  }

  /** Sees to it that the generations that serve or are being built have workers, and no others. */
  #staff(consumer: AnyConsumer, { active, building }: Registration): void {
    const wanted = [active, ...(building > 0 ? [building] : [])].map((generation) => new Build(consumer, generation));
    for (const [name, controller] of this.#builds) {
      const isOwn = name.startsWith(`${definitionName(consumer)}.`);
      if (!isOwn || wanted.some((build) => build.name === name)) continue;
      controller.abort();
      this.#builds.delete(name);
    }
    for (const build of wanted) {
      if (this.#builds.has(build.name) || this.#controller.signal.aborted) continue;
      const controller = new AbortController();
      this.#builds.set(build.name, controller);
      const share = new FairShare(this.#context, build, this.#options);
      for (let slot = 0; slot < consumer.slots; slot++) this.#track(this.#work(build, slot, share, controller.signal));
      this.#track(share.keepUp(controller.signal));
    }
  }

  #track(work: Promise<void>): void {
    const tracked: Promise<void> = work.finally(() => this.#running.delete(tracked));
    this.#running.add(tracked);
  }

  async #work(build: Build, slot: number, share: FairShare, signal: AbortSignal): Promise<void> {
    let suspicions = 0;
    for (let failures = 0; !signal.aborted;) {
      const begun = this.#context.now();
      try {
        await this.#hold(build, slot, { share, suspects: suspicions >= suspicionsMax }, signal);
        failures = suspicions = 0;
      } catch (error) {
        if (signal.aborted || hasCode(error, 'store_closed')) return;
        suspicions = hasCode(error, 'store_failed') ? suspicions + 1 : 0;
        const { name: consumer, version } = build.consumer;
        this.#context.notice({ kind: 'restarted', consumer, version, slot, error });
        // One that went well for a while begins at once.
        failures = this.#context.now() - begun > restartMaxMs ? 1 : failures + 1;
        await delay(Math.min(restartMaxMs, restartMs * 2 ** failures), signal).catch(() => undefined);
      }
    }
  }

  /** Waits for the lease of a slot, works under it, and gives it back. */
  async #hold(
    build: Build,
    slot: number,
    { share, suspects }: { readonly share: FairShare; readonly suspects: boolean },
    signal: AbortSignal,
  ): Promise<void> {
    const { owner, leaseMs } = this.#options;
    const { state } = this.#context;
    const name = build.slot(slot);
    const { rings } = this;
    const typesEpoch = await this.#registry.epochOf(build.consumer);
    if (typesEpoch === undefined) {
      await this.#rung(rings, signal);
      return;
    }
    const lease = share.mayTake() ? await state.lease(name, owner, leaseMs) : undefined;
    if (lease === undefined) {
      await delay(leaseMs / 4, signal);
      return;
    }
    const held = new AbortController();
    const leave = () => held.abort(signal.reason);
    signal.addEventListener('abort', leave, { once: true });
    if (signal.aborted) leave();
    share.took(name, held);
    const renewal = this.#renew(name, lease.epoch, held);
    const { epoch } = lease;
    const fences = [
      { lease: name, epoch },
      { lease: typesLease(build.consumer), epoch: typesEpoch },
    ];
    const handling = handlingOf({ build, state, slot, signal: held.signal }, this.#options);
    // What a saga makes of events is in its steps, whatever it would make of them now.
    const isProbed = build.consumer.kind !== 'saga';
    const probe = isProbed ? this.#employed.get(definitionName(build.consumer))?.probe : undefined;
    try {
      await new SlotRunner(this.#context, build, { slot, fences, handling, probe, suspects }).run(held.signal);
    } catch (error) {
      if (!held.signal.aborted || signal.aborted) throw error;
    } finally {
      signal.removeEventListener('abort', leave);
      held.abort();
      await handling.end?.();
      share.left(name);
      await renewal;
      await state.release(name, epoch).catch(() => undefined);
    }
  }

  async #renew(name: string, epoch: number, held: AbortController): Promise<void> {
    const { owner, leaseMs } = this.#options;
    for (;;) {
      try {
        await delay(leaseMs / 3, held.signal);
        const renewed = await this.#context.state.lease(name, owner, leaseMs);
        if (renewed?.epoch !== epoch) held.abort(new Error('the lease was lost'));
      } catch {
        // Either it has ended; or the store fails, and then the lease ends by itself.
        if (held.signal.aborted) return;
      }
    }
  }

  async stop(): Promise<void> {
    this.#controller.abort();
    for (const controller of this.#builds.values()) controller.abort();
    this.#bell.close();
    while (this.#running.size > 0) await Promise.allSettled(this.#running);
  }
}
