/** The threads of a store: starting them, calling them, ending them. */
import { cp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type * as eventsrc from 'eventsrc';
import type * as eventsrcSqlite from 'eventsrc/sqlite';
import { expect, test } from 'vitest';
import { defaultLimits } from '../../src/ground/limits.ts';
import { sqlite as ownSqlite } from '../../src/sqlite/index.ts';
import type { EventStore } from '../../src/store/port.ts';
import { appendOne, appendTypes, draft, readNames, write } from '../../src/testing/drafts.ts';
import { runProgram } from '../support/child.ts';
import { temporaryFolder } from '../support/temporary.ts';

interface Package {
  readonly folder: string;
  readonly openLog: typeof eventsrc.openLog;
  readonly sqlite: typeof eventsrcSqlite.sqlite;
}

/** A copy of what is published, its modules ending in .mjs, without one of them. */
async function repacked(missing?: string): Promise<Package> {
  const folder = await temporaryFolder();
  await cp(fileURLToPath(new URL('../../dist', import.meta.url)), folder, { recursive: true });
  for (const name of await readdir(folder, { recursive: true })) {
    if (!name.endsWith('.js')) continue;
    const text = await readFile(join(folder, name), 'utf8');
    await writeFile(join(folder, name), text.replaceAll(/(?<=from '[^']*)\.js(?=')/g, '.mjs'));
    await rename(join(folder, name), join(folder, name.replace(/js$/, 'mjs')));
  }
  if (missing !== undefined) await rm(join(folder, missing));
  const load = (name: string): Promise<unknown> => import(pathToFileURL(join(folder, name)).href);
  const [log, store] = await Promise.all([load('index.mjs'), load('sqlite/index.mjs')]);
  return { folder, ...(log as Pick<Package, 'openLog'>), ...(store as Pick<Package, 'sqlite'>) };
}

const query = [{ types: ['A'] }];

async function openStore(): Promise<EventStore> {
  const file = join(await temporaryFolder(), 'store.db');
  return ownSqlite(file).openEvents({ clock: { now: () => 1_000 }, limits: defaultLimits });
}

test('modules that end in .mjs find their threads', async () => {
  const { folder, openLog: open, sqlite: at } = await repacked();
  await using log = await open({ store: at(join(folder, 'store.db')) });
  await log.append([{ stream: 'order-1', events: [{ type: 'A', data: 1 }] }]);
  for await (const page of log.read({ match: query })) expect(page).toHaveLength(1);
});

test('a writer whose module is missing says so', async () => {
  const { folder, openLog: open, sqlite: at } = await repacked('sqlite/writer-thread.mjs');
  await expect(open({ store: at(join(folder, 'store.db')) })).rejects.toMatchObject({
    code: 'thread_unstartable',
    message: expect.stringMatching(/writer-thread.*bundle/),
  });
});

test('a search thread that could not be started is tried again by the next search', async () => {
  const { folder, openLog: open, sqlite: at } = await repacked();
  await using log = await open({ store: at(join(folder, 'store.db')) });
  await log.append([{ stream: 'order-1', events: [{ type: 'A', data: 1 }] }]);
  const [module, hidden] = ['sqlite/search-thread.mjs', 'hidden.mjs'].map((name) => join(folder, name)) as [
    string,
    string,
  ];
  await rename(module, hidden);
  await expect(log.read({ match: query }).next()).rejects.toMatchObject({ code: 'thread_unstartable' });
  await rename(hidden, module);
  expect((await log.read({ match: query }).next()).value).toHaveLength(1);
});

test('an error of opening the file for searching arrives as itself, and the next search opens it again', async () => {
  const folder = await temporaryFolder();
  const file = join(folder, 'store.db');
  await using store = await ownSqlite(file).openEvents({ clock: { now: () => 1_000 }, limits: defaultLimits });
  await appendTypes(store, 'order-1', 'A');
  await rename(file, `${file}.moved`);
  await expect(readNames(store, { match: query })).rejects.toMatchObject({ code: 'store_unavailable' });
  await rename(`${file}.moved`, file);
  expect(await readNames(store, { match: query })).toEqual(['order-1@1']);
});

test('a request that cannot be handed to a thread is refused, and the next one is not', async () => {
  await using store = await openStore();
  const unusual = [{ types: ['A'], note: () => {} }];
  const request = write('order-1', 'any', [draft('A')], { conditions: [{ failIfMatch: unusual, after: 0 }] });
  await expect(appendOne(store, request)).rejects.toMatchObject({ code: 'request_invalid' });
  expect((await appendTypes(store, 'order-1', 'A')).kind).toBe('appended');
});

test('a program whose request could not be handed to a thread ends by itself', async () => {
  const file = join(await temporaryFolder(), 'store.db');
  expect(await runProgram('uncloneable', [file])).toEqual(['request_invalid']);
});

test('a search that is underway when its store is closed gives its result', async () => {
  const store = await openStore();
  await appendTypes(store, 'order-1', 'A');
  const finding = store.find(new Uint8Array(32));
  await Promise.all([store[Symbol.asyncDispose](), store[Symbol.asyncDispose]()]);
  expect(await finding).toBeUndefined();
});

test('a reading that would begin its search after its store was closed starts no thread', async () => {
  const store = await openStore();
  await appendTypes(store, 'order-1', 'A');
  let started = 0;
  const count = () => (started += 1);
  process.on('worker', count);
  const [read] = await Promise.allSettled([readNames(store, { match: query }), store[Symbol.asyncDispose]()]);
  process.off('worker', count);
  expect(read).toMatchObject({ status: 'rejected', reason: { code: 'store_closed' } });
  expect(started).toBe(0);
});
