/** Replays at a pace, by a clock that stands still until it is told. */
import { setTimeout } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { memory, openEngine } from '../../src/index.ts';
import type { Engine, EventFrame, PlayOptions, Replay, ReplayOptions, ReplayProgress } from '../../src/index.ts';
import { TestClock } from '../../src/testing/index.ts';

/** When the events happened, in ms after the first. */
const times = [0, 100, 100, 400, 1_400, 101_400];
let engine: Engine;

beforeEach(async () => {
  const clock = new TestClock(1_000);
  engine = await openEngine({ store: memory(), clock });
  let now = 0;
  for (const time of times) {
    clock.advance(time - now);
    now = time;
    await engine.log.append([{ stream: 'a-1', events: [{ type: 'A', data: {} }] }]);
  }
});

afterEach(async () => {
  await engine.close();
});

/** Goes through a replay, and notes when which frame came, in ms by the timer. */
class Audience {
  readonly timer = new TestClock(0);
  readonly seen: [position: number, at: number][] = [];
  readonly replay: Replay<EventFrame, unknown>;
  readonly #frames: AsyncIterator<EventFrame, void, void>;
  readonly ended: Promise<unknown>;
  /** How long it takes over each frame, in ms. */
  slownessMs = 0;

  constructor(options: PlayOptions = {}, mode: ReplayOptions = {}) {
    this.replay = engine.replay({}, { ...mode, ...options, timer: this.timer });
    this.#frames = this.replay[Symbol.asyncIterator]();
    this.ended = this.#watch().catch((error: unknown) => error);
  }

  async #watch(): Promise<string> {
    for (;;) {
      const next = await this.#frames.next();
      if (next.done === true) return 'ended';
      this.seen.push([next.value.event.position, this.timer.now()]);
      if (this.slownessMs > 0) await this.timer.wait(this.slownessMs, new AbortController().signal);
    }
  }

  leave(): Promise<unknown> {
    return this.#frames.return?.() ?? Promise.resolve();
  }

  /** Until it waits, for the clock or for somebody to let it go on. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
  }

  /** Lets so much time pass, stopping wherever somebody waits. */
  async pass(ms: number): Promise<void> {
    const end = this.timer.now() + ms;
    for (;;) {
      await this.settle();
      const next = Math.min(end, this.timer.waitedFor ?? end);
      this.timer.advance(next - this.timer.now());
      if (next < end) continue;
      await this.settle();
      return;
    }
  }
}

describe('at a pace', () => {
  test.each([
    [1, [0, 100, 100, 400, 1_400, 101_400]],
    [100, [0, 1, 1, 4, 14, 1_014]],
    [0.1, [0, 1_000, 1_000, 4_000, 14_000, 1_014_000]],
  ])('%d times as fast, each frame comes when it is due', async (speed, due) => {
    const audience = new Audience({ speed });
    await audience.pass(due.at(-1) ?? 0);
    expect(audience.seen).toEqual(due.map((at, index) => [index + 1, at]));
    expect(await audience.ended).toBe('ended');
    expect(audience.timer.waitedFor).toBeUndefined();
  });

  test('long gaps are cut', async () => {
    const audience = new Audience({ speed: 1, maxGapMs: 300 });
    await audience.pass(1_000);
    expect(audience.seen.map(([, at]) => at)).toEqual([0, 100, 100, 400, 700, 1_000]);
  });

  test('a gap of more than 24 days is waited for in full', async () => {
    const day = 86_400_000;
    const audience = new Audience({ speed: 1, timeOf: ({ position }) => position * 40 * day });
    await audience.pass(40 * day - 1);
    expect(audience.seen).toHaveLength(1);
    await audience.pass(1);
    expect(audience.seen).toHaveLength(2);
    await audience.leave();
  });

  test('events may have a time of their own; where that runs backwards, nothing is waited for', async () => {
    const own = [0, 50, 20, 20, 30, 10];
    const audience = new Audience({ speed: 1, timeOf: ({ position }) => own[position - 1] ?? 0 });
    await audience.pass(60);
    expect(audience.seen.map(([, at]) => at)).toEqual([0, 50, 50, 50, 60, 60]);
  });

  test('who is slow is caught up with: nothing is added to what is due', async () => {
    const audience = new Audience({ speed: 1, maxGapMs: 1_000 });
    audience.slownessMs = 90;
    await audience.pass(3_000);
    // The third is due with the second, and comes when that is done; all later ones are in time.
    expect(audience.seen.map(([, at]) => at)).toEqual([0, 100, 190, 400, 1_400, 2_400]);
  });

  test('a clock of the system that is set back holds nobody up', async () => {
    const { now } = Date;
    let setBackMs = 0;
    const spy = vi.spyOn(Date, 'now').mockImplementation(() => now() - setBackMs);
    const replay = engine.replay({ query: { until: 5 } }, { speed: 100 });
    for await (const { event } of replay) setBackMs = event.position * 3_600_000;
    expect(replay.progress.events).toBe(5);
    spy.mockRestore();
  });

  test('unthrottled, nothing is waited for', async () => {
    const audience = new Audience();
    await audience.settle();
    expect(audience.seen.map(([, at]) => at)).toEqual([0, 0, 0, 0, 0, 0]);
  });

  test.each([0, -1, 0.09, Number.NaN, '2'])('a speed of %s is refused, and what is possible named', (speed) => {
    const wrong = { code: 'option_invalid', message: expect.stringMatching(/0\.1 to 100 \(limits\.replaySpeed\)/) };
    expect(() => engine.replay({}, { speed: speed as number })).toThrow(expect.objectContaining(wrong));
    const replay = engine.replay({});
    expect(() => (replay.speed = speed as number)).toThrow(expect.objectContaining(wrong));
    expect(replay.speed).toBe('unthrottled');
  });

  test('a speed above the limit names the limit, which can be raised', async () => {
    const wrong = {
      code: 'limit_exceeded',
      details: { limit: 'replaySpeed', value: 101, max: 100, subject: expect.anything() },
    };
    expect(() => engine.replay({}, { speed: 101 })).toThrow(expect.objectContaining(wrong));
    await using quick = await openEngine({ store: memory(), limits: { replaySpeed: 500 } });
    expect(quick.replay({}, { speed: 500 }).speed).toBe(500);
  });

  test('a time that is no number is refused, with the event', async () => {
    const audience = new Audience({ speed: 1, timeOf: ({ position }) => (position === 2 ? Number.NaN : 0) });
    expect(await audience.ended).toMatchObject({
      code: 'option_invalid',
      message: expect.stringContaining('position 2'),
    });
  });
});

describe('under way', () => {
  test('the pace is changed: what was waited for already counts', async () => {
    const audience = new Audience({ speed: 1 });
    await audience.pass(200);
    audience.replay.speed = 10;
    // 100 of 300 ms are over; the other 200 take 20.
    await audience.pass(20);
    expect(audience.seen.at(-1)).toEqual([4, 220]);
    audience.replay.speed = 0.5;
    await audience.pass(1_999);
    expect(audience.seen).toHaveLength(4);
    await audience.pass(1);
    expect(audience.seen.at(-1)).toEqual([5, 2_220]);
    audience.replay.speed = 'unthrottled';
    expect(await audience.ended).toBe('ended');
    expect(audience.seen.at(-1)).toEqual([6, 2_220]);
  });

  test('from unthrottled to a pace, the first gap is waited for in full', async () => {
    const replay = engine.replay({}, { timer: new TestClock(0) });
    const frames = replay[Symbol.asyncIterator]();
    await frames.next();
    replay.speed = 1;
    let isShown = false;
    const next = frames.next().then(() => (isShown = true));
    await setTimeout(5);
    expect(isShown).toBe(false);
    replay.speed = 'unthrottled';
    await next;
    await frames.return?.();
  });

  test('paused, it waits for ever; then it goes on as if no time had passed', async () => {
    const audience = new Audience({ speed: 1 });
    await audience.pass(250);
    audience.replay.pause();
    audience.replay.pause();
    expect(audience.replay.paused).toBe(true);
    await audience.pass(1e12);
    expect(audience.seen).toHaveLength(3);
    expect(audience.timer.waitedFor).toBeUndefined();
    const resumedAt = audience.timer.now();
    audience.replay.resume();
    expect(audience.replay.paused).toBe(false);
    await audience.pass(149);
    expect(audience.seen).toHaveLength(3);
    await audience.pass(1);
    expect(audience.seen.at(-1)).toEqual([4, resumedAt + 150]);
    await audience.leave();
  });

  test('who was late when it was paused is not late any more when it goes on', async () => {
    const audience = new Audience({ speed: 1 });
    audience.slownessMs = 1_000;
    await audience.pass(500);
    audience.slownessMs = 0;
    audience.replay.pause();
    await audience.pass(1_000);
    audience.replay.resume();
    await audience.settle();
    // The second was due long ago; the fourth is 300 ms behind it, whatever was missed before.
    expect(audience.seen.slice(1)).toEqual([
      [2, 1_500],
      [3, 1_500],
    ]);
    await audience.pass(300);
    expect(audience.seen.at(-1)).toEqual([4, 1_800]);
    await audience.leave();
  });

  test('a change of pace while paused counts from when it goes on', async () => {
    const audience = new Audience({ speed: 1 });
    await audience.pass(200);
    audience.replay.pause();
    audience.replay.speed = 2;
    await audience.pass(5_000);
    audience.replay.resume();
    await audience.pass(100);
    expect(audience.seen.at(-1)).toEqual([4, 5_300]);
    await audience.leave();
  });

  test('a step pauses, and lets frames through at once', async () => {
    const audience = new Audience({ speed: 1 });
    await audience.pass(50);
    audience.replay.step();
    await audience.settle();
    expect(audience.replay.paused).toBe(true);
    expect(audience.seen.at(-1)).toEqual([2, 50]);
    audience.replay.step(2);
    await audience.pass(1_000);
    expect(audience.seen.map(([position]) => position)).toEqual([1, 2, 3, 4]);
    // Goes on where the steps have led to: a second to the next.
    audience.replay.resume();
    await audience.pass(999);
    expect(audience.seen).toHaveLength(4);
    await audience.pass(1);
    expect(audience.seen.at(-1)).toEqual([5, 2_050]);
    for (const count of [0, -1, 1.5, Number.NaN])
      expect(() => audience.replay.step(count)).toThrow(expect.objectContaining({ code: 'option_invalid' }));
    await audience.leave();
  });

  test('it is moved forwards and backwards, from elsewhere while the loop waits: the frame behind comes at once', async () => {
    const audience = new Audience({ speed: 1 });
    await audience.pass(10);
    audience.replay.seek({ position: 4 });
    await audience.settle();
    expect(audience.seen).toEqual([
      [1, 0],
      [5, 10],
    ]);
    audience.replay.seek({ time: 1_000 });
    await audience.pass(0);
    expect(audience.seen.slice(2)).toEqual([
      [2, 10],
      [3, 10],
    ]);
    await audience.pass(300);
    expect(audience.seen.at(-1)).toEqual([4, 310]);
    audience.replay.seek({ position: 99 });
    expect(await audience.ended).toBe('ended');
    expect(audience.seen).toHaveLength(5);
    expect(audience.replay.progress).toMatchObject({ events: 5, position: 6, fraction: 1 });
  });

  test('it is moved while paused, and shows the next frame when it may; also from behind the last', async () => {
    const audience = new Audience();
    audience.replay.step(6);
    await audience.settle();
    expect(audience.seen).toHaveLength(6);
    audience.replay.seek({ position: 1 });
    await audience.settle();
    expect(audience.seen).toHaveLength(6);
    expect(audience.replay.progress.position).toBe(1);
    audience.replay.step();
    await audience.settle();
    expect(audience.seen.at(-1)?.[0]).toBe(2);
    audience.replay.resume();
    expect(await audience.ended).toBe('ended');
    expect(audience.seen.map(([position]) => position)).toEqual([1, 2, 3, 4, 5, 6, 2, 3, 4, 5, 6]);
  });

  test('a timer of Node, which says in its own words that its signal has fired, is as good as any', async () => {
    const timer = { now: Date.now, wait: (ms: number, signal: AbortSignal) => setTimeout(ms, undefined, { signal }) };
    const replay = engine.replay({}, { speed: 0.1, timer });
    const frames = replay[Symbol.asyncIterator]();
    await frames.next();
    const [second, third] = [frames.next(), frames.next()];
    replay.pause();
    await new Promise((resolve) => setImmediate(resolve));
    replay.step();
    expect(await second).toMatchObject({ value: { event: { position: 2 } } });
    replay.resume();
    replay.speed = 'unthrottled';
    expect(await third).toMatchObject({ value: { event: { position: 3 } } });
    replay.speed = 0.1;
    const fourth = frames.next();
    await new Promise((resolve) => setImmediate(resolve));
    await frames.return?.();
    expect(await fourth).toMatchObject({ done: true });
    const signal = AbortSignal.timeout(5);
    const cancelled = engine.replay({}, { speed: 0.1, timer, signal })[Symbol.asyncIterator]();
    await cancelled.next();
    await expect(cancelled.next()).rejects.toMatchObject({ name: 'TimeoutError' });
  });

  test('a moment that there is not is refused', () => {
    const replay = engine.replay();
    expect(() => replay.seek({ version: 1 })).toThrow(expect.objectContaining({ code: 'option_invalid' }));
    expect(() => replay.seek({ time: new Date(Number.NaN) })).toThrow(
      expect.objectContaining({ code: 'option_invalid' }),
    );
  });

  test.each(['waits', 'is paused'])(
    'cancelled while it %s, it throws the reason, and nothing goes on waiting',
    async (how) => {
      const controller = new AbortController();
      const audience = new Audience({ speed: 1, signal: controller.signal });
      await audience.pass(200);
      if (how === 'is paused') audience.replay.pause();
      await audience.settle();
      controller.abort(new Error('enough'));
      expect(await audience.ended).toMatchObject({ message: 'enough' });
      expect(audience.timer.waitedFor).toBeUndefined();
    },
  );

  test.each(['waits', 'is paused'])('it ends with the engine while it %s', async (how) => {
    const audience = new Audience({ speed: 1 });
    await audience.pass(200);
    if (how === 'is paused') audience.replay.pause();
    const unbegun = engine.replay();
    await engine.close();
    expect(await audience.ended).toMatchObject({ code: 'engine_closed' });
    expect(audience.timer.waitedFor).toBeUndefined();
    await expect(unbegun.run()).rejects.toMatchObject({ code: 'engine_closed' });
  });

  test.each(['waits', 'is paused'])('left while it %s, it ends, and nothing goes on waiting', async (how) => {
    const audience = new Audience({ speed: 1 });
    await audience.pass(200);
    if (how === 'is paused') audience.replay.pause();
    await audience.settle();
    await audience.leave();
    expect(await audience.ended).toBe('ended');
    expect(audience.timer.waitedFor).toBeUndefined();
  });

  test('a loop that is broken off leaves no listener behind', async () => {
    const controller = new AbortController();
    let listeners = 0;
    const { signal } = controller;
    const { addEventListener, removeEventListener } = signal;
    signal.addEventListener = (...args: Parameters<typeof addEventListener>) => {
      listeners += 1;
      addEventListener.apply(signal, args);
    };
    signal.removeEventListener = (...args: Parameters<typeof removeEventListener>) => {
      listeners -= 1;
      removeEventListener.apply(signal, args);
    };
    for await (const { event } of engine.replay({}, { signal })) if (event.position === 2) break;
    expect(listeners).toBe(0);
  });

  test('it tells how far it is', async () => {
    const told: ReplayProgress[] = [];
    const audience = new Audience({ speed: 1, onProgress: (progress) => told.push(progress) });
    expect(audience.replay.progress).toEqual({
      events: 0,
      position: 0,
      recordedAt: undefined,
      until: undefined,
      fraction: 0,
    });
    await audience.pass(101_400);
    await audience.ended;
    // Two that came at the same time are told of once.
    expect(told.map(({ position }) => position)).toEqual([1, 2, 4, 5, 6, 6]);
    expect(told[1]).toEqual({ events: 2, position: 2, recordedAt: 1_100, until: 6, fraction: 2 / 6 });
    expect(told.at(-1)).toEqual({ events: 6, position: 6, recordedAt: 102_400, until: 6, fraction: 1 });
  });
});

test('what happens after it has begun is not part of it', async () => {
  const replay = engine.replay({ query: { stream: 'a-1' } });
  const frames = replay[Symbol.asyncIterator]();
  await frames.next();
  await engine.log.append([{ stream: 'a-1', events: [{ type: 'A', data: {} }] }]);
  let count = 1;
  while ((await frames.next()).done !== true) count += 1;
  expect(count).toBe(times.length);
});
