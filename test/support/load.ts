import { expect, vi } from 'vitest';
import type { EventLog } from 'eventsrc';

/** Appends from 16 callers at once until told to stop; each event has a name of its own. */
export class Load {
  readonly acknowledged: string[] = [];
  readonly #log: EventLog;
  readonly #callers: Promise<void[]>;
  #isOver = false;

  constructor(log: EventLog) {
    this.#log = log;
    this.#callers = Promise.all(Array.from({ length: 16 }, (_, caller) => this.#append(caller)));
  }

  async #append(caller: number): Promise<void> {
    for (let count = 0; !this.#isOver; count++) {
      const name = `${caller}-${count}`;
      const result = await this.#log.append([
        { stream: `caller-${caller}`, expected: count, events: [{ type: 'Happened', data: { name } }] },
      ]);
      // What was sent again and done twice, or lost, would be a conflict with the caller's own count.
      if (result.kind !== 'appended') throw new Error(`${name}: ${result.kind}`);
      this.acknowledged.push(name);
    }
  }

  async reaches(count: number): Promise<void> {
    const goal = this.acknowledged.length + count;
    await Promise.race([this.#callers, vi.waitUntil(() => this.acknowledged.length >= goal, { timeout: 50_000 })]);
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await this.#callers;
  }
}

/** These events and no others, each once, at positions without gaps. */
export async function expectExactly(log: EventLog, names: readonly string[]): Promise<void> {
  const stored: string[] = [];
  let position = 0;
  for await (const page of log.read()) {
    for (const event of page) {
      expect(event.position).toBe(++position);
      stored.push((event.data as { name: string }).name);
    }
  }
  expect(stored.toSorted()).toEqual(names.toSorted());
}
