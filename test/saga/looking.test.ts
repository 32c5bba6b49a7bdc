import { join } from 'node:path';
import { defineSaga, openEngine, openLog, waitFor } from 'eventsrc';
import { backup, sqlite } from 'eventsrc/sqlite';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { temporaryFolder } from '../support/temporary.ts';

const parcel = defineSaga({
  name: 'parcel',
  events: { Packed: z.object({}) },
  input: z.object({}),
  initialState: {},
  evolve: (state) => state,
  next: () => [waitFor('packed', 'Packed', { timeoutMs: 3_600_000 })],
});

const none = { saga: 'parcel', running: 0, compensating: 0, stuck: 0, started: 0, completed: 0, compensated: 0 };

test('a backup is looked at without writing into it, whether anybody had worked on sagas by then or not', async () => {
  const folder = await temporaryFolder();
  const file = join(folder, 'store.db');
  const look = async (name: string) => {
    await backup(file, join(folder, name));
    return openEngine({ store: sqlite(join(folder, name), { readOnly: true }), sagas: [parcel], run: 'none' });
  };
  await using log = await openLog({ store: sqlite(file) });
  await log.append([{ stream: 'thing-1', events: [{ type: 'Made', data: {} }] }]);
  {
    await using engine = await look('before.db');
    expect(await engine.sagas.list()).toEqual([]);
    expect(await engine.sagas.counts()).toEqual([none]);
  }
  {
    await using engine = await openEngine({ store: log, sagas: [parcel] });
    await engine.start(parcel, '1', {});
    await engine.settled();
  }
  await using engine = await look('after.db');
  expect(await engine.sagas.list()).toMatchObject([{ saga: 'parcel', id: '1', status: 'running' }]);
  expect(await engine.sagas.counts()).toEqual([{ ...none, running: 1, started: 1 }]);
  expect(await engine.sagas.instance('parcel', '1').state()).toMatchObject({ status: 'running' });
});
