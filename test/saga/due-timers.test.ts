/** What fires timers: looked at beside a view that is a list, with a clock that is moved by hand. */
import { setImmediate } from 'node:timers/promises';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { DueTimers } from '../../src/saga/due-timers.ts';
import type { DueTimersOptions } from '../../src/saga/due-timers.ts';
import { TestClock } from '../../src/testing/index.ts';

interface Due {
  readonly id: string;
  readonly dueAt: number;
}

const start = 1_000_000;
const pageMax = 500;

/** A view of instances, and what is handed over of it. An instance that is handed over leaves the view, unless it is left there. */
class Bench {
  readonly clock = new TestClock(start);
  /** Waited by: a clock that is set does not make anybody wait longer. */
  readonly timer = new TestClock(0);
  readonly view = new Map<string, number>();
  readonly handed: string[] = [];
  readonly asked: { readonly after: number; readonly until: number; readonly limit: number }[] = [];
  readonly timers: DueTimers;
  readonly #controller = new AbortController();
  /** What is waited for before an answer is given, once it is known. */
  before: () => Promise<void> | void = () => {};
  leaves = false;
  running: Promise<unknown> = Promise.resolve();

  constructor(options: Partial<DueTimersOptions> = {}) {
    this.timers = new DueTimers({
      find: async ({ after, until, limit, page }) => {
        this.asked.push({ after, until, limit });
        const all = [...this.view]
          .map(([id, dueAt]) => ({ id, dueAt }))
          .filter(({ dueAt }) => dueAt > after && dueAt <= until)
          .sort((a, b) => a.dueAt - b.dueAt || (a.id < b.id ? -1 : 1));
        const rest = page === undefined ? all : all.filter((one) => keyOf(one) > page);
        const due = rest.slice(0, limit);
        const last = due.at(-1);
        const found = { due, ...(rest.length > limit && last !== undefined && { next: keyOf(last) }) };
        await this.before();
        return found;
      },
      hand: (id) => {
        this.handed.push(id);
        if (!this.leaves) this.view.delete(id);
      },
      now: this.clock.now,
      wait: this.timer.wait,
      ...options,
    });
  }

  begin(): this {
    this.running = this.timers.run(this.#controller.signal).catch((error: unknown) => {
      if (!this.#controller.signal.aborted) throw error;
    });
    return this;
  }

  pass(ms: number): void {
    this.clock.advance(ms);
    this.timer.advance(ms);
  }

  /** As the view says once it is committed. */
  put(...due: readonly Due[]): void {
    for (const { id, dueAt } of due) this.view.set(id, dueAt);
    this.timers.changed(due);
  }

  /** Until it waits for its clock, and has heard what it was told. */
  async rests(): Promise<void> {
    for (let turns = 0; turns < 3; turns++) await setImmediate();
    await vi.waitUntil(() => this.timer.waitedFor !== undefined, { interval: 1 });
  }

  async end(): Promise<void> {
    this.#controller.abort(new Error('the test is over'));
    await this.running;
  }
}

function keyOf({ id, dueAt }: Due): string {
  return `${String(dueAt).padStart(20, '0')} ${id}`;
}

let bench = new Bench();

afterEach(() => bench.end());

describe('what fires timers', () => {
  test('hands over what is due, the earliest first, and each once', async () => {
    bench = new Bench();
    bench.put({ id: 'c', dueAt: start + 30 }, { id: 'a', dueAt: start + 10 }, { id: 'b', dueAt: start + 20 });
    bench.put({ id: 'past', dueAt: start - 5 });
    bench.leaves = true;
    bench.begin();
    await bench.rests();
    expect(bench.handed).toEqual(['past']);
    for (const [ms, handed] of [
      [9, ['past']],
      [1, ['past', 'a']],
      [100, ['past', 'a', 'b', 'c']],
      [5_000, ['past', 'a', 'b', 'c']],
    ] as const) {
      bench.pass(ms);
      await bench.rests();
      expect(bench.handed).toEqual(handed);
    }
  });

  test('hands over all that are due at one moment, however many', async () => {
    bench = new Bench();
    const count = 2 * pageMax + 1;
    const ids = Array.from({ length: count }, (_, index) => `i-${String(index).padStart(5, '0')}`);
    bench.put(...ids.map((id) => ({ id, dueAt: start + 50 })));
    bench.put({ id: 'later', dueAt: start + 51 });
    bench.leaves = true;
    bench.begin();
    await bench.rests();
    bench.pass(50);
    await bench.rests();
    expect(bench.handed).toEqual(ids);
  });

  test('looks only at what is due, a page at a time, and at nothing while nothing is', async () => {
    bench = new Bench().begin();
    await bench.rests();
    const looked = bench.asked.length;
    for (let seconds = 0; seconds < 10; seconds++) {
      bench.pass(1_000);
      await bench.rests();
    }
    expect(bench.asked.length).toBe(looked);
    bench.put({ id: 'a', dueAt: start + 10_001 });
    bench.pass(1);
    await bench.rests();
    expect(bench.handed).toEqual(['a']);
    expect(bench.asked.slice(looked).every(({ until, limit }) => until <= start + 10_001 || limit === 1)).toBe(true);
    expect(Math.max(...bench.asked.map(({ limit }) => limit))).toBe(pageMax);
  });

  test('a timer that is set while it looks ahead is not overlooked', async () => {
    bench = new Bench();
    const looking = Promise.withResolvers<void>();
    const looked = Promise.withResolvers<void>();
    bench.before = () => (looking.resolve(), looked.promise);
    bench.begin();
    await looking.promise;
    bench.put({ id: 'a', dueAt: start + 10 });
    looked.resolve();
    await bench.rests();
    bench.pass(10);
    await bench.rests();
    expect(bench.handed).toEqual(['a']);
  });

  test('nor one that is set, due already, while others are handed over', async () => {
    bench = new Bench();
    bench.put({ id: 'a', dueAt: start - 10 });
    const looking = Promise.withResolvers<void>();
    const looked = Promise.withResolvers<void>();
    bench.before = () => {
      if (bench.asked.at(-1)?.limit !== pageMax) return;
      looking.resolve();
      return looked.promise;
    };
    bench.begin();
    await looking.promise;
    bench.put({ id: 'b', dueAt: start - 20 }, { id: 'c', dueAt: start - 5 });
    looked.resolve();
    await bench.rests();
    expect(bench.handed.toSorted()).toEqual(['a', 'b', 'c']);
  });

  test('nor what was due when looking failed', async () => {
    let failures = 1;
    bench = new Bench();
    bench.put({ id: 'a', dueAt: start - 10 });
    bench.before = () => {
      if (bench.asked.at(-1)?.limit === pageMax && failures-- > 0) throw new Error('no store');
    };
    bench.begin();
    await expect(bench.running).rejects.toThrow('no store');
    bench.begin();
    await bench.rests();
    expect(bench.handed).toEqual(['a']);
  });

  test('a timer that is set for before the one that it waits for wakes it', async () => {
    bench = new Bench().begin();
    bench.put({ id: 'late', dueAt: start + 900 });
    await bench.rests();
    bench.put({ id: 'early', dueAt: start + 300 });
    await bench.rests();
    expect(bench.timer.waitedFor).toBe(300);
    bench.pass(300);
    await bench.rests();
    expect(bench.handed).toEqual(['early']);
  });

  test('waits until more may be handed over', async () => {
    const room = Promise.withResolvers<void>();
    const handed: string[] = [];
    bench = new Bench({ hand: (id) => (handed.push(id), room.promise) });
    bench.put({ id: 'a', dueAt: start }, { id: 'b', dueAt: start });
    bench.begin();
    await vi.waitFor(() => expect(handed).toEqual(['a']), { interval: 1 });
    room.resolve();
    await bench.rests();
    expect(handed).toEqual(['a', 'b']);
  });

  test('a clock that jumps ahead is noticed within a second of waiting, though the next timer is far', async () => {
    bench = new Bench();
    bench.put({ id: 'a', dueAt: start + 86_400_000 });
    bench.begin();
    await bench.rests();
    expect(bench.timer.waitedFor).toBeLessThanOrEqual(1_000);
    bench.pass(86_400_000);
    await bench.rests();
    expect(bench.handed).toEqual(['a']);
  });

  test('after a clock was set back, what could not fire by then is handed over again when it is due', async () => {
    bench = new Bench();
    bench.leaves = true;
    bench.put({ id: 'a', dueAt: start + 5_000 });
    bench.begin();
    await bench.rests();
    bench.pass(10_000);
    await bench.rests();
    expect(bench.handed).toEqual(['a']);
    bench.clock.advance(-9_000);
    for (let seconds = 0; seconds < 4; seconds++) {
      expect(bench.handed).toEqual(['a']);
      bench.pass(1_000);
      await bench.rests();
    }
    expect(bench.handed).toEqual(['a', 'a']);
  });

  test('after a clock was set back, a timer that is due before those that were handed over wakes it', async () => {
    bench = new Bench();
    bench.put({ id: 'a', dueAt: start + 5_000 });
    bench.begin();
    await bench.rests();
    bench.pass(10_000);
    await bench.rests();
    bench.clock.advance(-9_000);
    bench.put({ id: 'b', dueAt: start + 1_100 });
    await bench.rests();
    bench.pass(100);
    await bench.rests();
    expect(bench.handed).toEqual(['a', 'b']);
  });
});
