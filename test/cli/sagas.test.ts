/** Sagas as operators see them, and what they do about them. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openEngine } from 'eventsrc';
import { sqlite } from 'eventsrc/sqlite';
import { beforeAll, describe, expect, test } from 'vitest';
import { cli, done, failing, printed } from './cli-process.ts';
import { place, sagasProject, withOrders } from './sagas-project.ts';
import { startApplication } from './views-project.ts';

const time = '\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z';

/** With times and ages left out. */
function timeless(text: string): readonly string[] {
  return text
    .replaceAll(new RegExp(time, 'g'), 'T')
    .replaceAll(/\t(\d+(ms|[smhd]) ?)+\t/g, '\tAGE\t')
    .split('\n');
}

interface Shown {
  readonly status: string;
  readonly nextTimer?: { readonly key: string };
  readonly steps: readonly {
    readonly version: number;
    readonly metadata: { readonly actor?: string };
    readonly data: object;
  }[];
}

async function shown(cwd: string, ...args: readonly string[]): Promise<Shown> {
  const [only] = await printed<Shown>(['saga', 'show', ...args], { cwd });
  return only as Shown;
}

/** The last thing that somebody did, rather than a worker. */
function lastAct({ steps }: Shown): unknown {
  const step = steps.findLast(({ metadata }) => metadata.actor !== undefined);
  return { actor: step?.metadata.actor, ...step?.data };
}

describe('what there is', () => {
  let cwd = '';

  beforeAll(async () => {
    cwd = await sagasProject();
    await withOrders(cwd);
  });

  test('sagas that have not ended are listed, the oldest first, with where they are stuck and why; below them how many there are', async () => {
    expect(timeless(await done(['sagas'], { cwd }))).toEqual([
      'saga\tid\tstatus\tage\tnext timer\tstuck at\twhy',
      'fulfilment\to-1\trunning\tAGE\tT\t\t',
      'fulfilment\to-2\tstuck\tAGE\t\tundoing charge\tthe bank is closed',
      'fulfilment\to-3\trunning\tAGE\tT\t\t',
      '',
      'saga\trunning\tcompensating\tstuck\tcompleted\tcompensated',
      'fulfilment\t2\t0\t1\t1\t0',
      'eventsrc_schedule\t0\t0\t0\t0\t0',
      '',
    ]);
    expect(await printed(['sagas', '--saga', 'fulfilment', '--status', 'stuck'], { cwd })).toEqual([
      {
        saga: 'fulfilment',
        id: 'o-2',
        version: 1,
        status: 'stuck',
        startedAt: expect.any(Number),
        changedAt: expect.any(Number),
        failure: { code: 'card_declined', message: 'card_declined' },
        stuck: { key: '~charge', failure: { code: 'error', message: 'the bank is closed' } },
      },
      { saga: 'fulfilment', running: 2, compensating: 0, stuck: 1, started: 4, completed: 1, compensated: 0 },
    ]);
    expect(await printed(['sagas', '--older-than', '1h', '--saga', 'fulfilment'], { cwd })).toHaveLength(1);
    const limited = await cli(['sagas', '--limit', '1'], { cwd });
    expect(limited.stdout).toContain('o-1');
    expect(limited.stdout).not.toContain('o-2');
    expect(limited.stderr).toBe('there may be more: --limit 1 is reached\n');
  });

  test('one of them is shown with its state, its next timer and every step, under either name', async () => {
    const text = await done(['saga', 'show', 'fulfilment', 'o-3'], { cwd });
    expect(timeless(text)).toEqual([
      'saga\tfulfilment',
      'id\to-3',
      'stream\tfulfilment-o-3',
      'status\trunning',
      'version\t1',
      'started\tT',
      'changed\tT',
      'next timer\tT: until then it waits for Packed',
      'state.order\to-3',
      'state.total\t7',
      'state.parcel\t',
      '',
      'version\ttime\tactor\tstep\tthen',
      '1\tT\t\tstarted by OrderPlaced of order-o-3\tattempt 1 of charge {"order":"o-3","total":7}',
      '2\tT\t\tcharge failed: the line is busy (will be tried again at T)\t',
      '3\tT\t\tcharge is tried again\tattempt 2 of charge',
      '4\tT\t\tcharge is done {"payment":"payment-o-3"}\twaits for Packed until T',
      '',
    ]);
    expect(await done(['saga', 'show', 'fulfilment-o-3'], { cwd })).toBe(text);
    expect(await shown(cwd, 'fulfilment', 'o-3')).toMatchObject({
      saga: 'fulfilment',
      id: 'o-3',
      stream: 'fulfilment-o-3',
      status: 'running',
      state: { order: 'o-3', total: 7, parcel: '' },
      nextTimer: { key: 'packed', for: 'wait', type: 'Packed', at: expect.any(Number) },
      effects: { charge: { attempt: 2, failures: 1, status: 'completed' } },
      undo: ['charge'],
      steps: [{ version: 1 }, { version: 2 }, { version: 3 }, { version: 4, id: expect.any(String) }],
    });
  });

  test('it is shown as of an earlier moment, in the notation that all commands have', async () => {
    const past = await shown(cwd, 'fulfilment', 'o-3', '--at', 'v2');
    expect(past).toMatchObject({ nextTimer: { key: 'charge', for: 'retry' }, steps: [{ version: 1 }, { version: 2 }] });
    expect(await done(['saga', 'show', 'fulfilment', 'o-3', '--at', 'v2'], { cwd })).toMatch(
      new RegExp(`^next timer\t${time}: charge is tried again$`, 'm'),
    );
    expect(await failing(['saga', 'show', 'fulfilment', 'o-3', '--at', '2020-01-01'], { cwd })).toMatchObject({
      code: 1,
      error: 'error: fulfilment o-3 had not begun at 2020-01-01 23:59:59',
      remedy: expect.stringContaining('It was started at 2'),
    });
  });

  test('one that is stuck says where, why, and what can be done; one that has ended, how', async () => {
    const stuck = await cli(['saga', 'show', 'fulfilment', 'o-2'], { cwd });
    expect(stuck.stdout).toContain(
      '\nstuck at\tundoing charge\nstuck because\tthe bank is closed\ncompensated because\tcard_declined\n',
    );
    expect(timeless(stuck.stdout).at(-2)).toBe(
      '5\tT\t\tundoing charge failed: the bank is closed; it may have happened all the same\tstuck at undoing charge: the bank is closed',
    );
    expect(stuck.stderr).toContain('eventsrc saga retry fulfilment o-2; or skip');
    const ended = timeless(await done(['saga', 'show', 'fulfilment', 'o-4'], { cwd }));
    expect(ended).toContain('status\tcompleted');
    expect(ended).toContain('ended\tT');
    expect(ended).toContain('result\t{"parcel":"p-4"}');
    expect(ended).toContainEqual(expect.stringMatching(/^\d\tT\tAda\tsignal Packed \{"parcel":"p-4"\}\t/));
    expect(ended.at(-2)).toMatch(/^\d\tT\t\tship is done \(1 event\)\tcompleted \{"parcel":"p-4"\}$/);
  });

  test('a backup can be looked into', async () => {
    await done(['backup', 'backup.db'], { cwd });
    const bytes = readFileSync(join(cwd, 'backup.db'));
    expect(await done(['sagas', '--store', 'sqlite:backup.db'], { cwd })).toContain('the bank is closed');
    expect((await shown(cwd, 'fulfilment', 'o-2', '--store', 'sqlite:backup.db')).status).toBe('stuck');
    expect(readFileSync(join(cwd, 'backup.db')).equals(bytes)).toBe(true);
  });

  test('names of sagas are completed, and instances: of those that are stuck where that is what it is about', async () => {
    const complete = async (...words: readonly string[]) => (await cli(['complete', '--', ...words], { cwd })).stdout;
    expect(await complete('saga', 're')).toMatch(/^retry\t.*\nresolve\t/);
    expect(await complete('saga', 'show', 'ful')).toBe('fulfilment\tsaga\n:4\n');
    expect(await complete('sagas', '--saga', 'ful')).toBe('fulfilment\tsaga\n:4\n');
    expect(await complete('sagas', '--status', '')).toBe('running\t\ncompensating\t\nstuck\t\n:4\n');
    expect(await complete('projections', 'retry', 'ful')).toBe('fulfilment\tsaga\n:4\n');
    expect(await complete('saga', 'retry', 'fulfilment', '')).toBe(
      'o-2\tstuck at undoing charge: the bank is closed\n:4\n',
    );
    expect(await complete('saga', 'show', 'fulfilment', 'o-')).toMatch(/^o-1\trunning\n/);
    expect(await complete('saga', 'show', 'unknown', '')).toBe(':4\n');
  });
});

describe('what is not understood', () => {
  let cwd = '';

  beforeAll(async () => {
    cwd = await sagasProject();
    writeFileSync(join(cwd, 'bare.mjs'), `export default { store: 'sqlite:events.db' };`);
    await using engine = await openEngine({ store: sqlite(join(cwd, 'events.db')), schedules: true, run: 'none' });
    await engine.schedule({ decision: 'any', input: {} }, { at: Date.now() + 3_600_000 }, { id: 's-1' });
  });

  const schedule = ['eventsrc_schedule', 's-1'] as const;

  test.each([
    [['saga'], 2, 'It was not said what to do'],
    [['saga', 'mend'], 2, 'too many arguments'],
    [['saga', 'show', 'payment', '1'], 2, 'The config has no saga payment; known: fulfilment, eventsrc_schedule'],
    [['saga', 'show', 'payment-1'], 2, 'The config has no saga payment'],
    [['saga', 'show', 'fulfilment'], 2, 'No instance of fulfilment was named'],
    [['saga', 'show', 'fulfilment-1', '1'], 2, 'fulfilment-1 names an instance: 1 is too much'],
    [['saga', 'show', 'fulfilment', 'o-9'], 1, 'There is no instance o-9 of fulfilment'],
    [['saga', 'show', 'fulfilment', 'o-9', '--at', 'v1'], 1, 'There is no instance o-9 of fulfilment'],
    [['saga', 'show', ...schedule, '--at', 'now'], 2, 'Expected a version such as v12'],
    [['saga', 'retry', ...schedule], 1, 'it is not stuck: running'],
    [['saga', 'skip', ...schedule], 2, "required option '--reason <text>'"],
    [['saga', 'skip', ...schedule, '--reason', ' '], 2, '--reason says nothing'],
    [['saga', 'cancel', ...schedule, '--reason', ''], 2, '--reason says nothing'],
    [['saga', 'resolve', ...schedule, '--result', '{'], 2, 'The --result is no JSON'],
    [['saga', 'signal', ...schedule], 2, 'No type was named'],
    [['saga', 'signal', ...schedule, 'Packed', '{parcel}'], 2, 'The data is no JSON'],
    [['saga', 'signal', ...schedule, 'Packed'], 1, 'No schema was declared for the event type "Packed"'],
    [['saga', 'signal', 'fulfilment', 'o-9', 'Packed', '{"parcel":7}'], 1, 'Packed does not match its schema'],
    [['sagas', '--saga', 'payment'], 2, 'The config has no saga payment'],
    [['sagas', '--status', 'done'], 2, 'Allowed choices are running, compensating, stuck'],
    [['sagas', '--older-than', 'long'], 2, 'Expected how long'],
    [['sagas', '--limit', '1001'], 2, 'an integer from 1 to 1000'],
    [['sagas', '--config', 'bare.mjs'], 2, 'The config has no sagas'],
    [['sagas', '--store', 'sqlite:none.db'], 1, 'none.db'],
  ] as const)('%j is one line and a remedy', async (args, code, message) => {
    expect(await failing(args, { cwd })).toMatchObject({ code, error: expect.stringContaining(message) });
  });

  test('what nobody has run yet is said to be so', async () => {
    const { code, stdout, stderr } = await cli(['sagas'], { cwd });
    expect(code).toBe(0);
    expect(stdout).toContain('fulfilment\t0\t0\t0\t0\t0\n');
    expect(stderr).toContain('nobody has ever run fulfilment: open an engine that does\n');
  });
});

describe('beside an application that runs', () => {
  test('signals are sent to it, once under each key; what is cancelled it undoes', async () => {
    const cwd = await sagasProject();
    await place(cwd, { 'o-1': 20, 'o-2': 30 });
    writeFileSync(join(cwd, 'open'), '');
    const application = startApplication(cwd);
    try {
      await application.told('started o-2');
      const signal = ['saga', 'signal', 'fulfilment-o-1', 'Packed', '-', '--key', 'scan-1'];
      const input = '{"parcel":"p-1"}';
      expect(await done([...signal, '--actor', 'Ada'], { cwd, input })).toBe('✔ Sent Packed to fulfilment o-1\n');
      await application.told('ended o-1');
      expect(await printed(signal, { cwd, input })).toEqual([
        { saga: 'fulfilment', id: 'o-1', act: 'signal', type: 'Packed', duplicate: true },
      ]);
      expect(lastAct(await shown(cwd, 'fulfilment', 'o-1'))).toMatchObject({
        actor: 'Ada',
        on: { kind: 'signal', type: 'Packed', data: { parcel: 'p-1' }, id: 'scan-1' },
      });
      const late = await failing(['saga', 'cancel', 'fulfilment', 'o-1', '--reason', 'x'], { cwd });
      expect(late).toMatchObject({ code: 1, error: 'error: fulfilment o-1 is completed: it has ended' });

      const cancel = ['saga', 'cancel', 'fulfilment', 'o-2', '--reason', 'they called', '--actor', 'Ada'];
      expect(await done(cancel, { cwd })).toBe('✔ fulfilment o-2 is compensated from now on: they called\n');
      await application.told('ended o-2');
      expect(await done(cancel, { cwd })).toBe('✔ fulfilment o-2 has been compensated: cancelled: they called\n');
      const cancelled = await shown(cwd, 'fulfilment', 'o-2');
      expect(cancelled.status).toBe('compensated');
      expect(lastAct(cancelled)).toMatchObject({ actor: 'Ada', on: { kind: 'cancel', reason: 'they called' } });
      expect(readFileSync(join(cwd, 'bank.txt'), 'utf8').split('\n').sort()).toEqual([
        '',
        'charged o-1',
        'charged o-2',
        'refunded payment-o-2',
      ]);
    } finally {
      await application.stop();
    }
  });

  test('what is stuck goes on when it is tried again, passed over or resolved, with who did it and why', async () => {
    const cwd = await sagasProject();
    await place(cwd, { 'o-1': 13, 'o-2': 13, 'o-3': 13 });
    const application = startApplication(cwd);
    try {
      for (const id of ['o-1', 'o-2', 'o-3']) await application.told(`stuck ${id}`);
      const act = (kind: string, id: string, ...args: readonly string[]) => ['saga', kind, 'fulfilment', id, ...args];
      expect(await failing(act('retry', 'o-1', '--key', 'charge'), { cwd })).toMatchObject({
        code: 1,
        error: expect.stringContaining('it is not stuck at charge, but at ~charge'),
      });
      expect(await failing(act('cancel', 'o-1', '--reason', 'x'), { cwd })).toMatchObject({
        code: 1,
        error: 'error: fulfilment o-1 is being compensated already, and is stuck at undoing charge: the bank is closed',
      });
      expect(await done(act('skip', 'o-1', '--reason', 'by hand', '--actor', 'Ada'), { cwd })).toBe(
        '✔ fulfilment o-1 passes over undoing charge: by hand\n',
      );
      await application.told('ended o-1');
      expect(lastAct(await shown(cwd, 'fulfilment', 'o-1'))).toMatchObject({
        actor: 'Ada',
        on: { kind: 'operator', key: '~charge', act: { kind: 'skip', reason: 'by hand' } },
      });

      const result = ['--result', '{"refund":"r-7"}', '--reason', 'by phone', '--key', '~charge'];
      expect(await done(act('resolve', 'o-2', ...result, '--actor', 'Bob'), { cwd })).toBe(
        '✔ fulfilment o-2 takes undoing charge as done: {"refund":"r-7"}\n',
      );
      await application.told('ended o-2');
      expect(lastAct(await shown(cwd, 'fulfilment', 'o-2'))).toMatchObject({
        actor: 'Bob',
        on: { act: { kind: 'resolve', result: { refund: 'r-7' }, reason: 'by phone' } },
      });

      writeFileSync(join(cwd, 'open'), '');
      expect(await printed(act('retry', 'o-3'), { cwd })).toMatchObject([
        { saga: 'fulfilment', id: 'o-3', act: 'retry', key: '~charge' },
      ]);
      await application.told('ended o-3');
      const retried = await shown(cwd, 'fulfilment', 'o-3');
      expect(retried.status).toBe('compensated');
      expect(lastAct(retried)).toMatchObject({ actor: expect.stringMatching(/./), on: { act: { kind: 'retry' } } });
      expect(readFileSync(join(cwd, 'bank.txt'), 'utf8')).toBe('refunded o-3\n');
    } finally {
      await application.stop();
    }
  });
});
