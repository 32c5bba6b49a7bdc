/** How many slots of a build a worker may hold, so that several workers share them. It is about fairness only: the leases decide. */
import type { Json } from '../event/json.ts';
import type { Build } from './build.ts';
import type { RunnerContext } from './runner.ts';

export const workersCollection = '$workers';

interface Heartbeat {
  readonly build: string;
  readonly owner: string;
  readonly at: number;
}

export class FairShare {
  readonly #context: RunnerContext;
  readonly #build: Build;
  readonly #owner: string;
  readonly #leaseMs: number;
  readonly #held = new Map<string, AbortController>();
  #share: number;

  constructor(context: RunnerContext, build: Build, { owner, leaseMs }: { owner: string; leaseMs: number }) {
    this.#context = context;
    this.#build = build;
    this.#owner = owner;
    this.#leaseMs = leaseMs;
    this.#share = build.consumer.slots;
  }

  mayTake(): boolean {
    return this.#held.size < this.#share;
  }

  took(slot: string, held: AbortController): void {
    this.#held.set(slot, held);
  }

  left(slot: string): void {
    this.#held.delete(slot);
  }

  /** Says that it is there, counts the others, and gives back what is more than its share. */
  async keepUp(signal: AbortSignal): Promise<void> {
    const { slots } = this.#build.consumer;
    if (slots === 1) return;
    const key = `${this.#build.name}/${this.#owner}`;
    const { state } = this.#context;
    while (!signal.aborted) {
      try {
        const workers = await this.#others(key);
        this.#share = Math.ceil(slots / (workers + 1));
        for (const held of [...this.#held.values()].slice(this.#share))
          held.abort(new Error('others want their share'));
        await this.#context.delay(this.#leaseMs / 3, signal);
      } catch {
        // Without knowing of others it takes what it can get.
        await this.#context.delay(this.#leaseMs / 3, signal).catch(() => undefined);
      }
    }
    await state.commit({ deletes: [{ collection: workersCollection, key }] }).catch(() => undefined);
  }

  async #others(key: string): Promise<number> {
    const { state } = this.#context;
    const now = this.#context.now();
    const heartbeat: Heartbeat = { build: this.#build.name, owner: this.#owner, at: now };
    await state.commit({ puts: [{ collection: workersCollection, key, value: heartbeat as unknown as Json }] });
    const { documents } = await state.find(workersCollection, {
      where: { kind: 'eq', path: 'build', value: this.#build.name },
      orderBy: [],
      limit: 1_000,
    });
    const others = documents.filter((document) => document.key !== key);
    const isGone = ({ at }: Heartbeat) => Math.abs(now - at) > this.#leaseMs;
    const gone = others.filter(({ value }) => isGone(value as unknown as Heartbeat));
    if (gone.length > 0)
      await state.commit({ deletes: gone.map((document) => ({ collection: workersCollection, key: document.key })) });
    return others.length - gone.length;
  }
}
