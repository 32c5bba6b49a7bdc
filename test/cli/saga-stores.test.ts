/** Stores in which there are sagas, and the commands that know nothing of them. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { cli, done, failing, printed } from './cli-process.ts';
import { place, sagasProject, withOrders } from './sagas-project.ts';
import { startApplication } from './views-project.ts';

describe('a store with sagas', () => {
  let cwd = '';

  beforeAll(async () => {
    cwd = await sagasProject();
    await withOrders(cwd);
    writeFileSync(join(cwd, 'bare.mjs'), `export default { store: 'sqlite:events.db', limits: { streams: 7 } };`);
  });

  test.each([[[]], [['--config', 'bare.mjs']]])(
    'the history of an instance is told in words, whether the config knows its saga or not: %j',
    async (config) => {
      const lines = (await done(['history', 'fulfilment-o-3', ...config], { cwd })).split('\n');
      expect(lines[0]).toBe('version\ttime\tkind\ttype\tactor\tid\tstep\tdata');
      expect(lines[1]?.split('\t').slice(6)).toEqual([
        'started by OrderPlaced of order-o-3; attempt 1 of charge {"order":"o-3","total":7}',
        expect.stringMatching(/^\{"on":\{"kind":"started"/),
      ]);
      expect(lines[3]).toContain('\tcharge is tried again; attempt 2 of charge\t');
      const last = await done(['history', 'fulfilment-o-3', '--backwards', '--limit', '2', ...config], { cwd });
      expect(last).toContain('\tcharge is done {"payment":"payment-o-3"}; waits for Packed until ');
      expect(last, 'of which nobody has seen what its timer was for').toContain('\tthe time of charge has come; ');
    },
  );

  test('an event that a command of a saga led to names the step that led to it', async () => {
    expect(await done(['why', 'order-o-4', 'status'], { cwd })).toMatch(
      /^caused by\tversion \d of fulfilment-o-4: .*Packed has come$/m,
    );
    expect(await printed(['why', 'order-o-4', 'status'], { cwd })).toMatchObject([
      { event: { type: 'OrderShipped' }, origin: { stream: 'fulfilment-o-4', kind: 'saga_step' } },
    ]);
    expect(await done(['why', 'order-o-1', 'status'], { cwd })).not.toContain('caused by');
  });

  test('an instance is looked back at as any other', async () => {
    expect(await done(['state', 'fulfilment-o-3', '--at', 'v2'], { cwd })).toContain(
      '\nstate.effects.charge.status\tretrying\n',
    );
    expect(await done(['diff', 'fulfilment-o-2', '--from', 'v1'], { cwd })).toContain('\nstatus\t"running"\t"stuck"\n');
    expect(await done(['why', 'fulfilment-o-4', 'state.parcel'], { cwd })).toContain('\nactor\tAda\n');
    expect(await done(['replay', 'fulfilment-o-3', '--quiet'], { cwd })).toContain('\nstate.state.order\to-3\n');
    for (const command of [['snapshots'], ['snapshots', 'take'], ['snapshots', 'verify']])
      expect(await failing([...command, 'fulfilment-o-3'], { cwd })).toMatchObject({
        code: 2,
        error: expect.stringContaining('of those there are no snapshots'),
      });
  });

  test('nothing but steps is appended to an instance, whether the config knows its saga or not', async () => {
    const before = await done(['export'], { cwd });
    for (const [type, ...args] of [['Packed', '{"parcel":"p"}'], ['$deleted'], ['Noted', '{}', '--config', 'bare.mjs']])
      expect(await failing(['append', 'fulfilment-o-1', type ?? '', ...args], { cwd })).toMatchObject({
        code: 1,
        error: 'error: fulfilment-o-1 is an instance of a saga: only its own steps are appended to it',
        remedy: expect.stringContaining('eventsrc saga signal fulfilment-o-1 <type>'),
      });
    const map = ['--map', `stream=fulfilment-{id},type='Noted'`, '--dry-run'];
    expect(await failing(['import', ...map], { cwd, input: '{"id":"o-9"}\n' })).toMatchObject({
      code: 1,
      error: expect.stringContaining('Line 1 of standard input: fulfilment-o-9 is an instance of a saga'),
    });
    expect(await done(['export'], { cwd })).toBe(before);
  });

  test('instances do not count towards the limit on streams', async () => {
    const bare = ['--config', 'bare.mjs'];
    expect(await printed(['stats', ...bare], { cwd })).toMatchObject([{ streams: 8, sagaStreams: 4, limitsNear: [] }]);
    expect(await done(['stats', ...bare], { cwd })).toContain('\nstreams\t8, 4 of them of sagas\n');
    expect(await done(['doctor', ...bare], { cwd })).toContain('\nlimits\tok\tnone is near\n');
    // A warning would be seen.
    await done(['append', 'thing-1', 'Made', ...bare], { cwd });
    expect((await cli(['append', 'thing-2', 'Made', ...bare], { cwd })).stderr).toContain('6 is near streams = 7');
  });

  test('projections lists sagas as what works on events', async () => {
    expect(await done(['projections'], { cwd })).toMatch(/^fulfilment\tsaga\t1\trunning\t/m);
    expect(await failing(['rebuild', 'fulfilment'], { cwd })).toMatchObject({
      code: 2,
      error: 'error: fulfilment is no projection but a saga',
    });
    expect(await done(['parked', 'fulfilment'], { cwd })).toBe('');
  });
});

describe('sagas move with their store', () => {
  test.each(['export and import', 'copy', 'backup and restore'])(
    '%s: they go on there where they were',
    async (way) => {
      const cwd = await sagasProject();
      await withOrders(cwd);
      if (way === 'copy') await done(['copy', '--from', 'sqlite:events.db', '--to', 'sqlite:moved.db'], { cwd });
      else if (way === 'export and import') {
        await done(['export', 'events.ndjson'], { cwd });
        await done(['import', 'events.ndjson', '--store', 'sqlite:moved.db'], { cwd });
      } else {
        await done(['backup', 'backup.db'], { cwd });
        await done(['restore', 'backup.db', '--store', 'sqlite:moved.db'], { cwd });
      }
      const exported = ['export', '--store'];
      expect(await done([...exported, 'sqlite:moved.db'], { cwd })).toBe(
        await done([...exported, 'sqlite:events.db'], { cwd }),
      );
      writeFileSync(join(cwd, 'open'), '');
      const moved = ['--store', 'sqlite:moved.db'];
      const application = startApplication(cwd, { STORE: 'moved.db' });
      try {
        await done(['saga', 'signal', 'fulfilment', 'o-1', 'Packed', '{"parcel":"p-1"}', ...moved], { cwd });
        await application.told('ended o-1');
        await done(['saga', 'retry', 'fulfilment', 'o-2', ...moved], { cwd });
        await application.told('ended o-2');
      } finally {
        await application.stop();
      }
      expect(await printed(['sagas', '--saga', 'fulfilment', ...moved], { cwd })).toMatchObject([
        { id: 'o-3', status: 'running', dueAt: expect.any(Number) },
        { running: 1, stuck: 0, started: 4, completed: 2, compensated: 1 },
      ]);
      expect(readFileSync(join(cwd, 'bank.txt'), 'utf8').split('\n').sort()).toEqual([
        '',
        'charged o-1',
        'charged o-3',
        'charged o-4',
        'refunded o-2',
      ]);
    },
  );
});

test('a saga that stands still is seen, and goes on once its cause is removed: by whoever has its activities', async () => {
  const cwd = await sagasProject();
  await place(cwd, { 'o-1': 666, 'o-2': 20 });
  const application = startApplication(cwd);
  try {
    const faulted = async () =>
      (await cli(['sagas'], { cwd })).stderr.includes('fulfilment stands still at position 1');
    while (!(await faulted()));
    expect(await done(['projections', '--json'], { cwd })).toContain('"state":"faulted"');
  } finally {
    await application.stop();
  }
  writeFileSync(join(cwd, 'mended'), '');
  expect(await failing(['projections', 'retry', 'fulfilment', '--timeout', '300'], { cwd })).toMatchObject({
    code: 1,
    error:
      'error: fulfilment has not done it within 300 ms: another process has to, since the config does not say how its activities are done',
  });
  const worker = ['--config', 'worker.config.mjs'];
  expect(await done(['projections', 'retry', 'fulfilment', ...worker], { cwd })).toBe(
    '✔ fulfilment went on behind position 1\n',
  );
  expect(await printed(['sagas', '--saga', 'fulfilment'], { cwd })).toContainEqual(
    expect.objectContaining({ id: 'o-1', status: 'running' }),
  );
});
