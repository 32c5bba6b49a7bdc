/** A transaction that stays open between two calls of the writer's thread. */
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import { systemClock } from '../../src/ground/clock.ts';
import { defaultLimits } from '../../src/ground/limits.ts';
import { runLength } from '../../src/sqlite/event-index.ts';
import { sqlite } from '../../src/sqlite/index.ts';
import type { SqliteOptions } from '../../src/sqlite/index.ts';
import { packGroup } from '../../src/sqlite/packed-group.ts';
import { Writer } from '../../src/sqlite/writer.ts';
import type { EventStore } from '../../src/store/port.ts';
import type { StateStore } from '../../src/store/state-port.ts';
import { appendOne, appendTypes, draft, readNames, write } from '../../src/testing/drafts.ts';
import { startProgram } from '../support/child.ts';
import { temporaryFolder } from '../support/temporary.ts';

const options = { clock: systemClock, limits: defaultLimits };

async function newFile(): Promise<string> {
  return join(await temporaryFolder(), 'store.db');
}

interface Opened extends AsyncDisposable {
  readonly store: EventStore;
  readonly state: StateStore;
}

async function open(file: string, given: SqliteOptions = {}): Promise<Opened> {
  const backend = sqlite(file, given);
  const store = await backend.openEvents(options);
  const state = (await backend.openState?.(store, options)) as StateStore;
  await state.define({ name: 'counts', indexes: [] });
  const close = async () => {
    await state[Symbol.asyncDispose]();
    await store[Symbol.asyncDispose]();
  };
  return { store, state, [Symbol.asyncDispose]: close };
}

const count = { puts: [{ collection: 'counts', key: 'all', value: 1 }], checkpoints: [{ name: 'c', from: 0, to: 1 }] };

test('a process that is killed while its group is staged leaves nothing of it, and others go on', async () => {
  const file = await newFile();
  const child = startProgram('stager', [file]);
  await child.nextLine();
  // Whoever wants to write waits, and is told at last.
  await expect(open(file, { lockTimeoutMs: 20 })).rejects.toMatchObject({ code: 'store_locked' });
  child.process.kill('SIGKILL');
  await child.finished;
  await using after = await open(file, { lockTimeoutMs: 20 });
  expect(await readNames(after.store)).toEqual(['a-1@1']);
  expect(await after.store.receipt('key')).toBeUndefined();
  expect((await appendTypes(after.store, 'a-1', 'B')).kind).toBe('appended');
});

test('everything that its thread is asked waits for the group that is staged, and then comes in order', async () => {
  await using opened = await open(await newFile());
  const { store, state } = opened;
  const receipt = { key: 'key', commandDigest: new Uint8Array(32), outcome: new Uint8Array(1), expiresAt: 5 };
  const ended: string[] = [];
  const note = (name: string) => () => void ended.push(name);
  const waiting: Promise<unknown>[] = [];
  await store.append([write('a-1', 0, [draft('A')], { receipts: [receipt] })], async () => {
    waiting.push(
      store.receipt('key').then(note('receipt')),
      state.lease('l', 'me', 1_000).then(note('lease')),
      state.define({ name: 'other', indexes: [] }).then(note('define')),
      store.releaseReceipts({ expiredAt: 10 }, 10).then((released) => note(`released ${released}`)()),
      appendTypes(store, 'a-1', 'B').then(note('append')),
      state.commit({ checkpoints: [{ name: 'c', from: 1, to: 2 }] }).then((result) => note(result)()),
    );
    // A turn for each that might not wait.
    for (let turn = 0; turn < 20; turn++) await state.checkpoints('');
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(ended).toEqual([]);
    return count;
  });
  await Promise.all(waiting);
  expect(ended).toEqual(['receipt', 'lease', 'define', 'released 1', 'append', 'committed']);
  expect(await state.checkpoints('')).toEqual([{ name: 'c', position: 2 }]);
});

test('a change that cannot be handed to the thread leaves nothing, and the next group is not mistaken for it', async () => {
  await using opened = await open(await newFile());
  const { store } = opened;
  const uncloneable = { statements: [{ sql: 'select ?', params: [(() => {}) as unknown as string] }] };
  const failing = store.append([write('a-1', 0, [draft('A')])], async () => uncloneable);
  const next = store.append([write('b-1', 0, [draft('B')])], async () => count);
  await expect(failing).rejects.toMatchObject({ code: 'request_invalid' });
  expect((await next).map(({ kind }) => kind)).toEqual(['appended']);
  expect(await readNames(store)).toEqual(['b-1@1']);
});

test('of groups that are staged one after another each failure ends its own', async () => {
  await using opened = await open(await newFile());
  const { store } = opened;
  const groups = Array.from({ length: 20 }, (_, n) =>
    store
      .append([write(`a-${n}`, 0, [draft('A')])], async () => {
        if (n % 4 === 1) throw new Error('no');
        const statements = n % 4 === 2 ? [{ sql: 'insert into none values (1)', params: [] }] : [];
        const checkpoints = n % 4 === 3 ? [{ name: 'c', from: 7, to: 8 }] : [];
        return { statements, checkpoints };
      })
      .then(
        ([result]) => result?.kind,
        (error: { code?: string }) => error.code ?? 'no',
      ),
  );
  const outcomes = await Promise.all(groups);
  expect(outcomes).toEqual(
    Array.from({ length: 5 }, () => ['appended', 'no', 'statement_failed', 'inline_conflict']).flat(),
  );
  expect(await readNames(store)).toEqual(['a-0@1', 'a-4@1', 'a-8@1', 'a-12@1', 'a-16@1']);
});

test('statements on tables of the user’s own are committed with the events, or not at all', async () => {
  const file = await newFile();
  await using opened = await open(file);
  const { store } = opened;
  const other = new DatabaseSync(file);
  other.exec('create table mine (n integer primary key)');
  const insert = (n: number) => ({ statements: [{ sql: 'insert into mine values (?)', params: [n] }] });
  await store.append([write('a-1', 0, [draft('A')])], async () => insert(1));
  const twice = store.append([write('a-1', 1, [draft('A')])], async () => insert(1));
  await expect(twice).rejects.toMatchObject({ code: 'statement_failed' });
  expect(await readNames(store)).toEqual(['a-1@1']);
  expect(other.prepare('select n from mine').all()).toEqual([{ n: 1 }]);
  other.close();
});

test('the index is not written into a transaction that is open', async () => {
  await using opened = await open(await newFile());
  const { store } = opened;
  const events = Array.from({ length: runLength + 1 }, () => draft('A', { tags: ['t'] }));
  await appendOne(store, write('a-1', 0, events));
  // By now it is due, and would be written in slices in the background.
  await store.append([write('a-1', 'any', [draft('B', { tags: ['t'] })])], async () => {
    await new Promise((resolve) => setTimeout(resolve, 200));
    return count;
  });
  await appendTypes(store, 'a-1', 'C');
  expect((await readNames(store, { match: [{ types: ['B', 'C'] }] })).length).toBe(2);
  expect((await readNames(store, { match: [{ tags: ['t'] }], backwards: true, limit: 1 }))[0]).toBe(
    `a-1@${runLength + 2}`,
  );
});

test('a store that is closed while a group is staged commits it first', async () => {
  const file = await newFile();
  await using opened = await open(file);
  const { store } = opened;
  let closing: Promise<void> | undefined;
  await store.append([write('a-1', 0, [draft('A')])], async () => {
    closing = Promise.resolve(store[Symbol.asyncDispose]());
    await new Promise((resolve) => setTimeout(resolve, 10));
    return count;
  });
  await closing;
  await using after = await open(file);
  expect(await readNames(after.store)).toEqual(['a-1@1']);
  expect(await after.state.get('counts', ['all'])).toMatchObject([{ value: 1 }]);
});

test('a group that ended is neither finished nor abandoned again', async () => {
  const writer = new Writer({
    file: await newFile(),
    create: true,
    lockTimeoutMs: 1_000,
    eventsPerStreamMax: Infinity,
  });
  const stage = () => writer.stage(packGroup([write('a-1', 'any', [draft('A')])], 1_000)).staging ?? 0;
  const first = stage();
  writer.abandon(first);
  const second = stage();
  writer.abandon(first);
  expect(writer.isStaged).toBe(true);
  expect(() => writer.finish(first, undefined)).toThrow('is not staged');
  writer.finish(second, undefined);
  expect(writer.isStaged).toBe(false);
  expect(writer.head).toMatchObject({ position: 1, streams: 1 });
  writer.close();
});
