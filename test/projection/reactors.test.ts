/** Side effects: at least once, in order, under one key per event, whatever happens to those who work on them. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { defineReactor, memory, openEngine } from 'eventsrc';
import type { ConsumerOptions, Engine, EngineOptions, ReactionContext } from 'eventsrc';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { startProgram } from '../support/child.ts';
import { shared } from '../support/gated-store.ts';
import { backendAt, bothPlaces, placeArguments } from '../support/place.ts';
import { postgresSchemas } from '../support/postgres-schemas.ts';
import { seededRandom } from '../support/random.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { crate } from './shelves.ts';

const isSoak = process.env.SOAK !== undefined;
const kills = isSoak ? 100 : 2;
const opened: Engine[] = [];

afterEach(async () => {
  await Promise.all(opened.splice(0).map((engine) => engine.close()));
});

async function engineOn(options: EngineOptions): Promise<Engine> {
  const engine = await openEngine({ leaseMs: 300, hooks: { consumer: () => {} }, ...options });
  opened.push(engine);
  return engine;
}

async function store(engine: Engine, id: string, amount = 1): Promise<void> {
  const data = { shelves: [], amount };
  await engine.log.append([{ stream: `crate-${id}`, events: [{ type: 'Stored', data }] }]);
}

/** By default its keys are the streams. */
function defineSends(
  send: (
    event: { readonly stream: string; readonly version: number },
    context: ReactionContext,
  ) => void | Promise<void>,
  options: ConsumerOptions & { readonly startAt?: 'first_event' | 'now'; readonly timeoutMs?: number } = {},
) {
  return defineReactor({
    name: 'sends',
    from: [crate],
    startAt: 'first_event',
    ...options,
    on: { Stored: send, Cleared: 'ignore', Noted: 'ignore' },
  });
}

interface Sent {
  readonly stream: string;
  readonly version: number;
  readonly key: string;
}

/** What a receiver that drops repetitions has got, of each stream; fails if one event came under two keys, or two under one. */
function received(sent: readonly Sent[]): Readonly<Record<string, readonly number[]>> {
  const eventOf = new Map<string, string>();
  const versions: Record<string, number[]> = {};
  for (const { stream, version, key } of sent) {
    const event = `${stream} ${version}`;
    if (eventOf.get(key) === event) continue;
    if (eventOf.has(key) || [...eventOf.values()].includes(event)) throw new Error(`${key} is of two events`);
    eventOf.set(key, event);
    (versions[stream] ??= []).push(version);
  }
  return versions;
}

const folder = await temporaryFolder();

describe.each(bothPlaces(folder, postgresSchemas()))('on %s', (kind, newPlace) => {
  test(`of two workers, ${2 * kills} times one is killed or stopped: all is sent, in order, under one key`, async () => {
    const place = newPlace();
    const file = join(folder, `${kind}.lines`);
    writeFileSync(file, '');
    const sent = () =>
      readFileSync(file, 'utf8')
        .split('\n')
        // What is behind the last line's end is nothing, or half of a line that is being written.
        .slice(0, -1)
        .map((line) => JSON.parse(line) as Sent);
    const seed = Math.floor(Math.random() * 2 ** 31);
    const random = seededRandom(seed);
    const begin = () => startProgram('sender', [...placeArguments(place), file]);
    const observer = await engineOn({
      store: backendAt(place),
      reactors: [defineSends(() => {}, { slots: 4 })],
      run: 'none',
    });
    const ids = ['a', 'b', 'c', 'd', 'e', 'f'];
    const workers = [begin(), begin()];
    for (let round = 0; round < 2 * kills; round++) {
      const goal = sent().length + 1 + Math.floor(random() * 60);
      for (let count = 0; count < 12; count++) await Promise.all(ids.map((id) => store(observer, id)));
      await vi.waitUntil(() => sent().length >= goal, { timeout: 20_000, interval: 2 });
      const worker = workers[round % 2] ?? begin();
      if (round % 4 < 2) {
        worker.process.kill('SIGKILL');
        workers[round % 2] = begin();
      } else {
        worker.process.kill('SIGSTOP');
        // Whatever it holds is taken over.
        await observer.settled();
        worker.process.kill('SIGCONT');
      }
    }
    await observer.settled();
    for (const { process } of workers) process.kill('SIGKILL');
    const { position: all } = await observer.log.head();
    const order = Array.from({ length: all / ids.length }, (_, index) => index + 1);
    expect(received(sent()), `seed ${seed}`).toEqual(Object.fromEntries(ids.map((id) => [`crate-${id}`, order])));
  });
});

test('one that starts now leaves out what is there, and nothing that comes, whoever begins it', async () => {
  const backend = shared(memory());
  const versions: number[] = [];
  const sends = defineSends(({ version }) => void versions.push(version), { startAt: 'now' });
  const writer = await engineOn({ store: backend });
  for (let count = 0; count < 3; count++) await store(writer, 'a');
  const first = await engineOn({ store: backend, reactors: [sends] });
  await store(writer, 'a');
  await first.settled();
  await first.close();
  for (let count = 0; count < 2; count++) await store(writer, 'a');
  const second = await engineOn({ store: backend, reactors: [sends] });
  await second.settled();
  expect(versions).toEqual([4, 5, 6]);
});

test('an attempt that takes too long is aborted and repeated under its key', async () => {
  const keys: string[] = [];
  const attempts: number[] = [];
  const aborted: unknown[] = [];
  const sends = defineSends(
    async (_, { idempotencyKey, attempt, signal }) => {
      keys.push(idempotencyKey);
      attempts.push(attempt);
      // One that looks at its signal, one that does not, and one that is quick.
      if (attempt === 1)
        await new Promise((_resolve, reject) =>
          signal.addEventListener('abort', () => (aborted.push(signal.reason), reject(signal.reason as Error))),
        );
      if (attempt === 2) await new Promise(() => {});
    },
    { timeoutMs: 30 },
  );
  const engine = await engineOn({ store: memory(), reactors: [sends] });
  await store(engine, 'a');
  await engine.settled();
  expect(attempts).toEqual([1, 2, 3]);
  expect(new Set(keys).size).toBe(1);
  expect(aborted).toEqual([new Error('it took longer than 30 ms')]);
});

describe('one that puts aside what fails', () => {
  test('keeps later events of the key behind it, and lets them go in order', async () => {
    const done: string[] = [];
    let isBroken = true;
    const sends = defineSends(
      ({ stream, version }) => {
        if (isBroken && stream === 'crate-bad' && version === 2) throw new Error('broken');
        done.push(`${stream} ${version}`);
      },
      { onFailure: 'park', attempts: 1, slots: 2 },
    );
    const backend = shared(memory());
    const engine = await engineOn({ store: backend, reactors: [sends] });
    for (let count = 0; count < 4; count++) for (const id of ['bad', 'good']) await store(engine, id);
    await engine.settled();
    expect(done.filter((line) => line.startsWith('crate-good'))).toEqual([1, 2, 3, 4].map((n) => `crate-good ${n}`));
    expect(done.filter((line) => line.startsWith('crate-bad'))).toEqual(['crate-bad 1']);
    const parked = async () => {
      const all = [];
      for await (const { key, version, isBehind, reason } of engine.consumers.parked('sends'))
        all.push({ key, version, isBehind, reason });
      return all;
    };
    const behind = { key: 'crate-bad', isBehind: true, reason: 'an earlier event of its key is parked' };
    const wanted = [
      { key: 'crate-bad', version: 2, isBehind: false, reason: 'broken' },
      { ...behind, version: 3 },
      { ...behind, version: 4 },
    ];
    expect(await parked()).toEqual(wanted);
    // In vain, and as it was before.
    await engine.consumers.unpark('sends', { key: 'crate-bad' });
    expect(await parked()).toEqual(wanted);
    isBroken = false;
    // Another worker, which finds them; an event that comes meanwhile stays behind.
    await engine.close();
    const other = await engineOn({ store: backend, reactors: [sends] });
    await store(other, 'bad');
    await other.settled();
    expect(done.filter((line) => line.startsWith('crate-bad'))).toEqual(['crate-bad 1']);
    await other.consumers.unpark('sends');
    await store(other, 'bad');
    await other.settled();
    expect(done.filter((line) => line.startsWith('crate-bad'))).toEqual(
      [1, 2, 3, 4, 5, 6].map((n) => `crate-bad ${n}`),
    );
    expect((await other.consumers.status())[0]).toMatchObject({ parked: 0, state: 'running' });
  });

  // Ten thousand events that fail, one by one.
  test.runIf(isSoak)('stands still when it has put aside as much as it may (skipped but in a soak)', async () => {
    const sends = defineSends(
      () => {
        throw new Error('broken');
      },
      { onFailure: 'park', attempts: 1 },
    );
    const engine = await engineOn({ store: memory(), reactors: [sends] });
    const events = Array.from({ length: 1_000 }, () => ({ type: 'Stored', data: { shelves: [], amount: 1 } }));
    for (let thousand = 0; thousand < 10; thousand++) await engine.log.append([{ stream: 'crate-a', events }]);
    await engine.settled();
    await store(engine, 'a');
    await expect(engine.settled({ timeoutMs: 5_000 })).rejects.toMatchObject({ code: 'consumer_faulted' });
    expect((await engine.consumers.status())[0]).toMatchObject({ parked: 10_000, state: 'faulted' });
  });
});
