/** Works on the instances of one slot, for as long as it is held. */
import { delay } from '../ground/clock.ts';
import { RecentCache } from '../ground/recent-cache.ts';
import type { Desk } from './desks.ts';
import { EndWatch } from './end-watch.ts';
import { InstanceWorker } from './instance-worker.ts';
import type { Wish } from './instance-worker.ts';
import type { Standing } from './journal.ts';
import { hasEnded } from './progress.ts';
import type { SagaRuntime } from './runtime.ts';
import type { AnySaga } from './saga.ts';

/** Instances that are looked at at the same time; those whose attempts are under way do not count. */
const busyMax = 256;
/** Instances that rest, and are kept in memory at least. */
const restingMax = 2_000;
/** Instances of which it is known at least how far they were brought here. */
const reachedMax = 10_000;
const restartMs = 100;
const restartMaxMs = 10_000;

export class SlotDriver implements Desk {
  readonly saga: AnySaga;
  readonly slot: number;
  readonly #runtime: SagaRuntime;
  readonly #signal: AbortSignal;
  readonly #workers = new Map<string, InstanceWorker>();
  readonly #resting = new RecentCache<string, Standing>(restingMax);
  /** Up to which version steps were recorded here. */
  readonly #reached = new RecentCache<string, number>(reachedMax);
  /** That wait for their turn, with the version that each is known to have come to. */
  readonly #wanted = new Map<string, number>();
  readonly #running = new Set<Promise<void>>();
  #busy = 0;
  /** How often in a row the work on an instance failed. */
  readonly #failures = new Map<string, number>();
  #room: PromiseWithResolvers<void> | undefined;

  constructor(runtime: SagaRuntime, saga: AnySaga, slot: number, signal: AbortSignal) {
    this.#runtime = runtime;
    this.saga = saga;
    this.slot = slot;
    this.#signal = signal;
  }

  /** Whether the slot is not held any more. */
  get hasStopped(): boolean {
    return this.#signal.aborted;
  }

  isAtWork(id: string): boolean {
    const standing = this.#workers.get(id)?.standing;
    return standing !== undefined && !EndWatch.isOver(standing);
  }

  /**
   * Records what has happened to an instance. @param isNew whether it is probably not there. @returns how it stands then.
   * @throws the reason, where the slot is not held any more; what the wish and the store fail with.
   */
  async deliver(id: string, wish: Wish, isNew: boolean): Promise<Standing | undefined> {
    this.#signal.throwIfAborted();
    const worker = this.#workerOf(id, isNew);
    await worker.record(wish);
    return worker.standing;
  }

  /** Does what is due in an instance, when its turn comes. @param version up to which others are known to have added steps. */
  drive(id: string, version = 0): void {
    if (this.#signal.aborted) return;
    this.#wanted.set(id, Math.max(version, this.#wanted.get(id) ?? 0));
    this.#takeWanted();
  }

  /** Resolves when fewer wait than are worked on, or nothing is worked on any more. */
  async room(): Promise<void> {
    if (this.#wanted.size < busyMax || this.#signal.aborted) return;
    this.#room ??= Promise.withResolvers();
    await this.#room.promise;
  }

  /** There are steps up to this version: what somebody else added may be something to do. */
  heard(id: string, version: number): void {
    const worker = this.#workers.get(id);
    if (worker !== undefined && !worker.isOver) worker.tell(version);
    else if ((this.#reached.get(id) ?? 0) < version) this.drive(id, version);
  }

  #takeWanted(): void {
    for (const [id, version] of this.#wanted) {
      if (this.#busy >= busyMax || this.#signal.aborted) break;
      this.#wanted.delete(id);
      const worker = this.#workerOf(id);
      worker.tell(version);
      worker.look();
    }
    if (this.#wanted.size >= busyMax) return;
    this.#room?.resolve();
    this.#room = undefined;
  }

  #workerOf(id: string, isNew = false): InstanceWorker {
    const before = this.#workers.get(id);
    if (before !== undefined && !before.isOver) return before;
    this.#busy += 1;
    let isBusy = true;
    const free = () => {
      if (!isBusy) return;
      isBusy = false;
      this.#busy -= 1;
      queueMicrotask(() => this.#takeWanted());
    };
    const worker = new InstanceWorker(this.#runtime, this.saga, id, {
      since: before?.standing ?? this.#resting.get(id),
      isNew,
      signal: this.#signal,
      onFree: () => this.drive(id),
      onWait: free,
    });
    this.#workers.set(id, worker);
    const running: Promise<void> = this.#run(id, worker)
      .finally(() => this.#running.delete(running))
      .finally(free);
    this.#running.add(running);
    return worker;
  }

  async #run(id: string, worker: InstanceWorker): Promise<void> {
    try {
      await worker.run();
      this.#failures.delete(id);
    } catch (error) {
      if (this.#signal.aborted) return;
      const failures = (this.#failures.get(id) ?? 0) + 1;
      this.#failures.set(id, failures);
      if (failures > 1) this.#runtime.notice({ kind: 'restarted', saga: this.saga.name, instance: id, error });
      void this.#later(id, Math.min(restartMaxMs, restartMs * 2 ** failures));
    } finally {
      if (this.#workers.get(id) === worker) this.#workers.delete(id);
      const { standing } = worker;
      if (standing !== undefined) this.#reached.set(id, standing.progress.streamVersion);
      if (standing !== undefined && !hasEnded(standing.progress)) this.#resting.set(id, standing);
      this.#runtime.permits.passOn();
    }
  }

  async #later(id: string, ms: number): Promise<void> {
    await delay(ms, this.#signal).catch(() => undefined);
    this.drive(id);
  }

  /** Resolves when nothing is being recorded any more. */
  async end(): Promise<void> {
    this.#room?.resolve();
    while (this.#running.size > 0) await Promise.allSettled(this.#running);
  }
}
