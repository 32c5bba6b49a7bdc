import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { openLog } from 'eventsrc';
import { sqlite } from 'eventsrc/sqlite';
import { describe, expect, test } from 'vitest';
import { temporaryFolder } from '../support/temporary.ts';
import { done, failing, printed, startCli } from './cli-process.ts';

interface Imported {
  readonly stream: string;
  readonly version: number;
  readonly type: string;
  readonly data: unknown;
  readonly metadata: { readonly original?: object };
  readonly tags: readonly string[];
}

const store = ['--store', 'sqlite:target.db'];
const all = (cwd: string) => printed<Imported>(['read', ...store], { cwd });

function lines(values: readonly unknown[]): string {
  return values.map((value) => `${JSON.stringify(value)}\n`).join('');
}

function orders(from: number, to: number): string {
  const numbers = Array.from({ length: to - from }, (_, index) => from + index);
  return lines(numbers.map((n) => ({ kind: 'Placed', at: 1_700_000_000 + n, order: { id: n % 9 }, payload: { n } })));
}

const map = ['--map', 'stream=order-{order.id},type=kind,time=at,data=payload'];

describe('fields of JSON lines', () => {
  test('become streams, types, data and original times, in the order of the lines', async () => {
    const cwd = await temporaryFolder();
    expect(await printed(['import', ...map, ...store, '--source', '/legacy'], { cwd, input: orders(0, 30) })).toEqual([
      { imported: 30, skipped: 0 },
    ]);
    const events = await all(cwd);
    expect(events.map(({ data }) => data)).toEqual(Array.from({ length: 30 }, (_, n) => ({ n })));
    expect(events[20]).toMatchObject({
      stream: 'order-2',
      version: 3,
      type: 'Placed',
      metadata: { original: { time: 1_700_000_020, source: '/legacy' } },
    });
  });

  test('may be given one by one, and hold ids of their own', async () => {
    const cwd = await temporaryFolder();
    const each = ['--map', 'stream=o-{a.0}-{b}', '--map', 'type=t', '--map', 'id=b', '--map', 'source=s'];
    await done(['import', ...each, ...store], { cwd, input: lines([{ a: ['x'], b: 7, t: 'T', s: '/s' }]) });
    expect(await all(cwd)).toMatchObject([
      {
        stream: 'o-x-7',
        type: 'T',
        data: { a: ['x'], b: 7, t: 'T', s: '/s' },
        metadata: { original: { id: 7, source: '/s' } },
      },
    ]);
  });

  test.each([
    [['stream=order-{order.none}', 'type=kind'], 1, 'Line 1 has no order.none'],
    [['stream=order-{order}', 'type=kind'], 1, 'Line 1 has no order that could be used'],
    [['stream=order-{order.id}', 'type=none'], 1, 'Line 1 has no none'],
    [['stream=order-{order.id}'], 2, 'does not say what stream and type are'],
    [['stream=kind', 'type=kind'], 1, 'Line 1 of standard input: "Placed" is not a valid stream name'],
    [['strem=kind'], 2, 'it can say stream, type'],
    [['stream='], 2, 'it can say stream, type'],
  ])('%j is one line and a remedy', async (fields, code, message) => {
    const cwd = await temporaryFolder();
    const failure = await failing(['import', '--map', fields.join(','), ...store], { cwd, input: orders(0, 2) });
    expect(failure).toMatchObject({ code, error: expect.stringContaining(message) });
  });
});

describe('a function', () => {
  const mapFile = `
    interface Row { readonly id: number; readonly day: string; readonly items: readonly string[]; readonly skip?: boolean }
    export default function map(row: Row, line: number) {
      if (row.skip) return undefined;
      const event = { stream: \`cart-\${row.id}\`, time: new Date(row.day), id: row.id, tags: ['legacy'] };
      return row.items.map((item) => ({ ...event, type: 'ItemAdded', data: { item, line }, metadata: { actor: 'import' } }));
    }`;
  const rows = [
    { id: 1, day: '2020-01-01', items: ['a', 'b'] },
    { id: 2, day: '2020-01-02', items: [], skip: true },
    { id: 1, day: '2020-01-03', items: ['c'] },
  ];

  test('makes of a line as many events as it likes', async () => {
    const cwd = await temporaryFolder();
    await writeFile(join(cwd, 'map.ts'), mapFile);
    await writeFile(join(cwd, 'rows.ndjson.gz'), gzipSync(lines(rows)));
    await done(['import', 'rows.ndjson.gz', '--map', 'map.ts', ...store], { cwd });
    expect(await all(cwd)).toMatchObject([
      {
        version: 1,
        data: { item: 'a', line: 1 },
        tags: ['legacy'],
        metadata: { actor: 'import', original: { id: 1 } },
      },
      { version: 2, data: { item: 'b', line: 1 } },
      { version: 3, data: { item: 'c', line: 3 }, metadata: { original: { time: '2020-01-03T00:00:00.000Z' } } },
    ]);
  });

  test('of whose events for a line one is no good, takes none of them', async () => {
    const cwd = await temporaryFolder();
    await writeFile(join(cwd, 'map.ts'), mapFile.replace("type: 'ItemAdded'", "type: item === 'c' ? '' : 'ItemAdded'"));
    const input = lines([rows[0], { id: 3, day: '2020-01-03', items: ['d', 'c'] }]);
    expect((await failing(['import', '--map', 'map.ts', ...store], { cwd, input })).error).toContain('Line 2');
    expect((await all(cwd)).map(({ stream }) => stream)).toEqual(['cart-1', 'cart-1']);
  });

  test.each([
    ['throws', 'export default () => { throw new Error("no idea"); };', 'failed for line 1: Unexpected: no idea'],
    ['returns something else', 'export default () => 7;', 'Line 1 of standard input'],
    ['returns an event without a stream', 'export default () => ({ type: "A" });', 'not a valid stream name'],
    [
      'returns what JSON cannot carry',
      'export default () => ({ stream: "a-1", type: "A", data: new Map() });',
      'instance of Map',
    ],
    ['is no function', 'export default 7;', 'exports no function'],
    ['is not TypeScript', 'export default (', 'cannot be loaded'],
    ['has what Node.js does not strip', 'enum A { B }; export default () => A.B;', 'cannot be loaded'],
  ])('that %s is one line and a remedy', async (_, text, message) => {
    const cwd = await temporaryFolder();
    await writeFile(join(cwd, 'map.ts'), text);
    const { error } = await failing(['import', '--map', 'map.ts', ...store], { cwd, input: lines(rows) });
    expect(error).toContain(message);
  });
});

describe('CloudEvents of others', () => {
  const event = {
    specversion: '1.0',
    id: 'A-17',
    source: 'https://shop.example/orders',
    type: 'com.example.order.placed',
    subject: 'order-7',
    time: '2020-02-03T04:05:06.789123+02:00',
    datacontenttype: 'application/json; charset=utf-8',
    dataschema: 'https://shop.example/schema',
    traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    partitionkey: 'k',
    constructor: 'c',
    data: { total: 20 },
  };

  test('keep id, source, time and every other attribute in their metadata', async () => {
    const cwd = await temporaryFolder();
    await done(['import', ...store], { cwd, input: lines([event]) });
    expect(await all(cwd)).toMatchObject([
      {
        stream: 'order-7',
        type: 'com.example.order.placed',
        data: { total: 20 },
        metadata: {
          traceparent: event.traceparent,
          original: {
            id: 'A-17',
            source: 'https://shop.example/orders',
            time: '2020-02-03T04:05:06.789123+02:00',
            subject: 'order-7',
            dataschema: 'https://shop.example/schema',
            partitionkey: 'k',
            constructor: 'c',
          },
        },
      },
    ]);
  });

  test('carry data as JSON, as JSON in base64, as something else, or none', async () => {
    const cwd = await temporaryFolder();
    const base64 = Buffer.from('{"a":1}').toString('base64');
    const { data: _, ...bare } = event;
    const input = lines([
      { ...bare, data_base64: base64 },
      { ...bare, data_base64: base64, datacontenttype: 'application/octet-stream' },
      { ...bare, data: '<a/>', datacontenttype: 'text/xml' },
      bare,
    ]);
    await done(['import', ...store], { cwd, input });
    expect((await all(cwd)).map(({ data }) => data)).toEqual([{ a: 1 }, base64, '<a/>', null]);
  });

  test('need to be told what their streams are called, where the subject does not say', async () => {
    const cwd = await temporaryFolder();
    const input = lines([{ ...event, subject: '7' }]);
    expect((await failing(['import', ...store], { cwd, input })).error).toContain('"7" is not a valid stream name');
    await done(['import', '--map', 'stream=order-{subject}', ...store], { cwd, input });
    expect(await all(cwd)).toMatchObject([{ stream: 'order-7', type: event.type, data: event.data }]);
    const { subject: _, ...without } = event;
    expect((await failing(['import', ...store], { cwd, input: lines([without]) })).remedy).toContain('--map stream=');
    const errorOf = async (value: object) =>
      (await failing(['import', ...store], { cwd, input: lines([value]) })).error;
    expect(await errorOf({ a: 1 })).toContain('is no CloudEvent');
    expect(await errorOf({ ...event, type: undefined })).toContain('is a CloudEvent without type');
    expect(await errorOf({ ...event, specversion: '0.3' })).toContain('is a CloudEvent without specversion 1.0');
  });
});

describe('what could be meant otherwise', () => {
  test('an integer that JavaScript would round is refused, instead of becoming another', async () => {
    const cwd = await temporaryFolder();
    const big = '{"kind":"P","order":{"id":9007199254740993},"payload":1}\n';
    const { error } = await failing(['import', ...map, ...store], { cwd, input: big });
    expect(error).toContain('the integer 9007199254740993 would become 9007199254740992: write it as a string');
    await done(['import', ...map, ...store], { cwd, input: big.replace('9007199254740993', '"9007199254740993"') });
    await done(['import', ...map, ...store], { cwd, input: big.replace('9007199254740993', '9007199254740992') });
    expect((await all(cwd)).map(({ stream }) => stream)).toEqual(['order-9007199254740993', 'order-9007199254740992']);
  });

  test.each([
    ['null', { kind: null }],
    ['an object', { kind: { a: 1 } }],
    ['a truth', { kind: true }],
  ])('a type that is %s is no type', async (_, change) => {
    const cwd = await temporaryFolder();
    const input = lines([{ order: { id: 1 }, payload: {}, at: 1, ...change }]);
    expect((await failing(['import', ...map, ...store], { cwd, input })).error).toContain(
      'has no kind that could be used',
    );
  });

  test('a type may be a constant, and what a line does not say is what --source says', async () => {
    const cwd = await temporaryFolder();
    const fields = ['--map', `stream=order-{id},type='Order imported',source=from,time=at`, '--source', '/default'];
    await done(['import', ...fields, ...store], { cwd, input: lines([{ id: 1 }, { id: 2, from: '/own' }]) });
    expect((await all(cwd)).map(({ type, metadata }) => [type, metadata.original])).toEqual([
      ['Order imported', { source: '/default' }],
      ['Order imported', { source: '/own' }],
    ]);
  });

  test('a function may leave the data out', async () => {
    const cwd = await temporaryFolder();
    await writeFile(join(cwd, 'map.ts'), `export default () => ({ stream: 'a-1', type: 'Seen' });`);
    await done(['import', '--map', 'map.ts', ...store], { cwd, input: '{}\n' });
    expect(await all(cwd)).toMatchObject([{ type: 'Seen', data: null }]);
  });

  test('events of an export do not come in by the way', async () => {
    const cwd = await temporaryFolder();
    await done(['append', 'order-1', 'A', ...store], { cwd });
    const own = await done(['export', ...store], { cwd });
    const foreign = { specversion: '1.0', id: '1', source: '/x', type: 'A', subject: 'order-2' };
    const { error } = await failing(['import', ...store], { cwd, input: lines([foreign]) + own });
    expect(error).toContain('Line 2 is an event of an eventsrc export');
  });
});

describe('begun again', () => {
  test('after a kill, an import goes on where it was: each event once', async () => {
    const cwd = await temporaryFolder();
    const input = orders(0, 12_000);
    await using log = await openLog({ store: sqlite(join(cwd, 'target.db')) });
    for (const share of [0.2, 0.5, 0.8]) {
      const { process: child, ended } = startCli(['import', ...map, ...store], { cwd, holdsInput: true });
      child.stdin?.write(input.slice(0, Math.floor(input.length * share)));
      await log.appended((await log.head()).position);
      child.kill('SIGKILL');
      await ended;
    }
    const { position } = await log.head();
    const again = await printed(['import', ...map, ...store], { cwd, input });
    expect(again).toEqual([{ imported: 12_000 - position, skipped: position }]);
    const numbers = (await all(cwd)).map(({ data }) => (data as { n: number }).n);
    expect(numbers).toEqual(Array.from({ length: 12_000 }, (_, n) => n));
  });

  test('a file that has grown brings what is new', async () => {
    const cwd = await temporaryFolder();
    await done(['import', ...map, ...store], { cwd, input: orders(0, 1_234) });
    expect(await printed(['import', ...map, ...store], { cwd, input: orders(0, 1_234) })).toEqual([
      { imported: 0, skipped: 1_234 },
    ]);
    expect(await printed(['import', ...map, ...store], { cwd, input: gzipSync(orders(0, 3_000)) })).toEqual([
      { imported: 1_766, skipped: 1_234 },
    ]);
    expect(await printed(['import', ...map, ...store], { cwd, input: orders(0, 3_001) })).toEqual([
      { imported: 1, skipped: 3_000 },
    ]);
    expect((await all(cwd)).map(({ data }) => (data as { n: number }).n)).toEqual(
      Array.from({ length: 3_001 }, (_, n) => n),
    );
  });

  test('a file that has changed, or another map, is refused instead of being imported twice', async () => {
    const cwd = await temporaryFolder();
    await done(['import', ...map, ...store], { cwd, input: orders(0, 1_000) });
    const changed = orders(0, 1_000).replace('"n":700}', '"n":-7}');
    expect((await failing(['import', ...map, ...store], { cwd, input: changed })).error).toContain('From line 501 on');
    const other = ['--map', 'stream=order-{order.id},type=kind,data=payload.n'];
    await done(['import', ...other, '--dry-run', ...store], { cwd, input: orders(0, 10) });
    expect((await all(cwd)).length).toBe(1_000);
  });

  test('with a corrected map it goes on where nothing was changed, and is refused where something was', async () => {
    const cwd = await temporaryFolder();
    const input = lines([
      { id: 1, k: 'A', p: 1 },
      { id: 2, k: 'B', p: 2 },
      { id: 3, k: 'C' },
    ]);
    const withData = ['--map', 'stream=o-{id},type=k,data=p'];
    expect((await failing(['import', ...withData, ...store], { cwd, input })).error).toContain('Line 3 has no p');
    const { error } = await failing(['import', '--map', 'stream=o-{id},type=k', ...store], { cwd, input });
    expect(error).toContain('was imported before, as other events');
    const corrected = 'export default (row) => ({ stream: `o-${row.id}`, type: row.k, data: row.p ?? 0 });';
    await writeFile(join(cwd, 'map.ts'), corrected);
    expect(await printed(['import', '--map', 'map.ts', ...store], { cwd, input })).toEqual([
      { imported: 1, skipped: 2 },
    ]);
    expect((await all(cwd)).map(({ stream, data }) => [stream, data])).toEqual([
      ['o-1', 1],
      ['o-2', 2],
      ['o-3', 0],
    ]);
  });

  test('of another file that begins alike, it is told by its source', async () => {
    const cwd = await temporaryFolder();
    const fields = ['--map', `stream=s-{n},type=kind`];
    const january = lines([
      { kind: 'started', n: 1 },
      { kind: 'A', n: 2 },
    ]);
    const february = lines([
      { kind: 'started', n: 1 },
      { kind: 'B', n: 3 },
    ]);
    await done(['import', ...fields, ...store], { cwd, input: january });
    const { error, remedy } = await failing(['import', ...fields, ...store], { cwd, input: february });
    expect(error).toContain('From line 1 on standard input is not what was imported before');
    expect(remedy).toContain('needs another --source');
    await done(['import', ...fields, '--source', 'february', ...store], { cwd, input: february });
    const short = await failing(['import', ...fields, ...store], { cwd, input: january.split('\n', 1).join() });
    expect(short.error).toContain('ends before what was imported of it does');
    expect((await all(cwd)).length).toBe(4);
  });

  test('another file is another import', async () => {
    const cwd = await temporaryFolder();
    await done(['import', ...map, ...store], { cwd, input: orders(0, 10) });
    expect(await printed(['import', ...map, ...store], { cwd, input: orders(10, 20) })).toEqual([
      { imported: 10, skipped: 0 },
    ]);
  });
});

test('a bad line far into a file is named; what stands before it stays, and the corrected file is taken', async () => {
  const cwd = await temporaryFolder();
  const good = orders(0, 2_000).trimEnd().split('\n');
  const { error } = await failing(['import', ...map, ...store], {
    cwd,
    input: good.with(1_700, '{"kind":').join('\n'),
  });
  expect(error).toMatch(/^error: Line 1701 of standard input is not JSON/);
  expect((await all(cwd)).length).toBe(1_700);
  expect(await printed(['import', ...map, ...store], { cwd, input: good.join('\n') })).toEqual([
    { imported: 300, skipped: 1_700 },
  ]);
});

test('what the config declares is checked against its schemas', async () => {
  const cwd = await temporaryFolder();
  const config = `
    const schema = { '~standard': { version: 1, vendor: 'test', validate: (value) =>
      typeof value?.n === 'number' && value.n < 5 ? { value } : { issues: [{ message: 'n is too large', path: ['n'] }] } } };
    export default { store: 'sqlite:target.db', aggregates: [{ kind: 'aggregate', name: 'order', events: { Placed: schema } }] };`;
  await writeFile(join(cwd, 'eventsrc.config.mjs'), config);
  const { error } = await failing(['import', ...map], { cwd, input: orders(0, 10) });
  expect(error).toContain('Line 6 of standard input: Placed does not match its schema: data.n: n is too large');
  expect((await all(cwd)).length).toBe(5);
  const unknown = orders(0, 1).replace('Placed', 'Plased');
  expect((await failing(['import', ...map], { cwd, input: unknown })).error).toContain('No schema was declared');
});
