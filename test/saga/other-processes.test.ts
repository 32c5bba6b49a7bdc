/** What one process asks of an instance on which another works. */
import { join } from 'node:path';
import { activity, defineSaga, memory, openEngine, openLog, steps, waitFor } from 'eventsrc';
import type { Backend, EngineOptions, OpenLog, SagaNotice } from 'eventsrc';
import { sqlite } from 'eventsrc/sqlite';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { z } from 'zod';
import { postgresStores } from '../support/postgres-schemas.ts';
import { temporaryFolder } from '../support/temporary.ts';

const pay = activity({ name: 'pay', input: z.object({}), output: z.object({}), retry: { attempts: 1 } });
const unpay = activity({ name: 'unpay', input: z.object({}), output: z.object({}), retry: { attempts: 1 } });

const parcel = defineSaga({
  name: 'parcel',
  events: { Packed: z.object({}), Sent: z.object({}) },
  input: z.object({}),
  activities: { pay, unpay },
  initialState: {},
  evolve: (state) => state,
  next: steps([
    () => pay('pay', {}, { compensate: unpay('unpay', {}) }),
    () => waitFor('packed', 'Packed', { timeoutMs: 3_600_000 }),
    () => waitFor('sent', 'Sent', { timeoutMs: 3_600_000 }),
  ]),
});

const newPostgres = postgresStores();
const file = async () => join(await temporaryFolder(), 'store.db');

/** Two doors to one store. */
const stores: Readonly<Record<string, () => Promise<() => Promise<Backend | OpenLog>>>> = {
  memory: async () => {
    const log = await openLog({ store: memory() });
    onTestFinished(() => log.close());
    return async () => log;
  },
  sqlite: async () => {
    const path = await file();
    return async () => sqlite(path);
  },
  postgres: async () => {
    const backend = newPostgres();
    return async () => backend;
  },
};

describe.each(Object.keys(stores))('on %s', (kind) => {
  /** A process that works, and one that only asks. */
  async function open(bank: { isOpen: boolean }) {
    const door = await (stores[kind] as () => Promise<() => Promise<Backend | OpenLog>>)();
    const notices: SagaNotice[] = [];
    const waiting: (() => void)[] = [];
    const saga = (notice: SagaNotice) => {
      notices.push(notice);
      for (const wake of waiting.splice(0)) wake();
    };
    const activities = [
      pay.implement(() => ({})),
      unpay.implement(() => {
        if (!bank.isOpen) throw new Error('the bank is closed');
        return {};
      }),
    ];
    const options: Omit<EngineOptions, 'store'> = { sagas: [parcel], activities, hooks: { saga } };
    const worker = await openEngine({ ...options, store: await door() });
    const other = await openEngine({ store: await door(), sagas: [parcel], run: 'none' });
    onTestFinished(async () => {
      await other.close();
      await worker.close();
    });
    const told = async (wanted: SagaNotice['kind']) => {
      while (!notices.some((notice) => notice.kind === wanted))
        await new Promise<void>((resolve) => waiting.push(resolve));
    };
    return { worker, other, told };
  }

  /** Resolves once it waits for something. */
  async function waits(
    handle: { state(): Promise<{ effects: Readonly<Record<string, { status: string }>> }> },
    key: string,
  ) {
    await vi.waitFor(async () => expect((await handle.state()).effects[key]?.status).toBe('open'), 10_000);
  }

  test('signals that another process sends are taken in, one after another', async () => {
    const { worker, other, told } = await open({ isOpen: true });
    await worker.start(parcel, '1', {});
    const handle = other.saga(parcel, '1');
    await waits(handle, 'packed');
    await handle.signal('Packed', {});
    await waits(handle, 'sent');
    await handle.signal('Sent', {});
    expect(await handle.result()).toEqual({ kind: 'completed', result: undefined });
    await told('ended');
  });

  test('what another process starts is worked on, and what it cancels is undone; once stuck, it goes on when it is retried', async () => {
    const bank = { isOpen: false };
    const { other, told } = await open(bank);
    const handle = await other.start(parcel, '1', {});
    await waits(handle, 'packed');
    await handle.cancel('changed their mind', { actor: 'Ada' });
    await told('stuck');
    expect(await handle.result()).toMatchObject({ kind: 'stuck', key: '~pay' });
    bank.isOpen = true;
    await handle.retry({ actor: 'Ada' });
    await told('ended');
    expect(await handle.result()).toMatchObject({ kind: 'compensated', failure: { code: 'cancelled' } });
  });
});
