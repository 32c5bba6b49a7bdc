/** `eventsrc schema list`, `show` and `check`, on a store that older code has written. */
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { cli, done, failing, printed } from './cli-process.ts';
import { appendByOldCode, schemaProject, soundEvents } from './schema-project.ts';
import { emptyProject } from './views-project.ts';
import { writeFileSync } from 'node:fs';

let cwd = '';

beforeAll(async () => {
  cwd = await schemaProject();
  appendByOldCode(cwd, soundEvents);
});

const wrong = ['--config', 'wrong.mjs'];

describe('schema list', () => {
  test('says of every type and version how it stands', async () => {
    const text = await done(['schema', 'list'], { cwd });
    expect(text.replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME').split('\n')).toEqual([
      'type\tversion\tverdict\tregistered',
      'order.Placed\t1\tregistered\tTIME',
      'order.Placed\t2\tnew\t',
      'order.Noted\t1\tregistered\tTIME',
      'order.Paid\t1\tnew\t',
      'order.Renamed\t1\tretired\tTIME',
      'cart.Noted\t1\tnew\t',
      'hall.Opened\t1\telsewhere\tTIME',
      '',
    ]);
  });

  test('is for programs, too, and for code that is in the wrong', async () => {
    const rows = await printed<{ name: string; version: number; verdict: string }>(['schema', 'list', ...wrong], {
      cwd,
    });
    expect(rows.map(({ name, version, verdict }) => `${name}@${version} ${verdict}`)).toEqual([
      'order.Placed@1 registered',
      'order.Placed@2 incompatible',
      'order.Noted@1 changed',
      'hall.Opened@1 elsewhere',
      'order.Renamed@1 undeclared',
    ]);
    expect(rows[0]).toEqual({
      ...{ name: 'order.Placed', owner: 'order', type: 'Placed', version: 1, verdict: 'registered', retired: false },
      ...{ registeredAt: expect.any(Number), vendor: 'zod', fingerprint: expect.stringMatching(/^[0-9a-f]{64}$/) },
    });
    expect(rows[1]).not.toHaveProperty('registeredAt');
  });

  test('needs no config, and no events', async () => {
    const folder = await emptyProject();
    await done(['append', 'thing-1', 'A', '--store', 'sqlite:a.db'], { cwd: folder });
    const { code, stdout, stderr } = await cli(['schema', 'list', '--store', 'sqlite:a.db'], { cwd: folder });
    expect({ code, stdout, stderr }).toEqual({
      code: 0,
      stdout: '',
      stderr: 'no type of event is declared or registered\n',
    });
    const store = ['--store', `sqlite:${join(cwd, 'events.db')}`];
    expect(await done(['schema', 'list', ...store], { cwd: folder })).toContain('order.Placed\t1\telsewhere\t');
  });

  test('looks into a backup, too', async () => {
    await done(['backup', 'copy.db'], { cwd });
    const store = ['--store', 'sqlite:copy.db'];
    expect(await done(['schema', 'list', ...store], { cwd })).toBe(await done(['schema', 'list'], { cwd }));
  });
});

describe('schema show', () => {
  test('shows the versions of a type, its casts and its fields', async () => {
    const text = await done(['schema', 'show', 'order.Placed'], { cwd });
    expect(text.replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/, 'TIME').split('\n')).toEqual([
      'version\tverdict\tcasts\tregistered\tlibrary',
      '1\tregistered\t\tTIME\tzod',
      '2\tnew\tup from 1, down to 1\t\tzod',
      '',
      'field of version 2\tpresence\ttype\tdescription',
      'data.channel\trequired\t"web" | "shop"\t',
      'data.customer\trequired\tstring\t',
      'data.items\trequired\tobject[]\t',
      'data.items[].cents\trequired\tinteger\t',
      'data.items[].name\trequired\tstring\t',
      'data.items[].price\trequired\tnumber\t',
      '',
    ]);
    const older = await done(['schema', 'show', 'Placed', '--version', '1'], { cwd });
    expect(older.split('\n').slice(4)).toEqual([
      'field of version 1\tpresence\ttype\tdescription',
      'data.customer\trequired\tstring\t',
      'data.items\trequired\tobject[]\t',
      'data.items[].name\trequired\tstring\t',
      'data.items[].price\trequired\tnumber\t',
      '',
    ]);
  });

  test('gives programs the JSON Schemas', async () => {
    const [found] = await printed<{ versions: object[] }>(['schema', 'show', 'Placed'], { cwd });
    expect(found).toMatchObject({
      ...{ name: 'order.Placed', owner: 'order', type: 'Placed', retired: false },
      versions: [
        { version: 1, verdict: 'registered', up: false, down: false, vendor: 'zod', registeredAt: expect.any(Number) },
        { version: 2, verdict: 'new', up: true, down: true, shape: { output: { properties: { channel: {} } } } },
      ],
    });
    const [one] = await printed<{ versions: object[] }>(['schema', 'show', 'Placed', '--version', '1'], { cwd });
    expect(one?.versions).toMatchObject([{ version: 1 }]);
  });

  test('says of a retired type that it is, and shows what was registered where nothing is declared', async () => {
    const { code, stderr } = await cli(['schema', 'show', 'Renamed'], { cwd });
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: 'order.Renamed is retired: its events are read as those of other types\n',
    });
    expect(await done(['schema', 'show', 'hall.Opened'], { cwd })).toMatch(/^data\.text\trequired\tstring\t$/m);
  });

  test.each([
    [['order.Plaecd'], 'No type of event order.Plaecd is declared or registered', 'Did you mean order.Placed?'],
    [['placed'], 'No type of event placed is declared', 'Did you mean order.Placed?'],
    [['Whatever'], 'No type of event Whatever is declared', 'All of them are listed by: eventsrc schema list'],
    [['Noted'], 'Several aggregates have a type Noted: order.Noted, cart.Noted', 'Name one of these.'],
    [['Placed', '--version', '7'], 'order.Placed has no version 7; known: 1, 2', 'Name one of these.'],
  ] as const)('%j is one line and a remedy', async (args, error, remedy) => {
    expect(await failing(['schema', 'show', ...args], { cwd })).toMatchObject({
      code: 2,
      error: expect.stringContaining(error),
      remedy: expect.stringContaining(remedy),
    });
  });
});

describe('schema check', () => {
  test('is content with code that goes with what is registered', async () => {
    expect(await done(['schema', 'check'], { cwd })).toBe('✔ Checked 6 versions of events: 3 as registered, 3 new\n');
    expect(await printed(['schema', 'check'], { cwd })).toEqual([
      { versions: 6, registered: 3, new: 3, opaque: 0, changed: 0, incompatible: 0, undeclared: 0, wrong: [] },
    ]);
  });

  test('exits with 1 where it does not, and says of each field why', async () => {
    const { code, error, remedy, stdout } = await failing(['schema', 'check', ...wrong], { cwd });
    expect({ code, error, remedy }).toEqual({
      code: 1,
      error: 'error: 3 of 4 versions of events cannot stay as they are',
      remedy:
        '  Restore what was changed, and declare the change as the next version. Correct a new version, or demand less of it. Declare what was appended, or retire it.',
    });
    const lines = stdout.trimEnd().split('\n');
    expect(lines[0]).toBe('type\tversion\tverdict\tfield\twhy');
    expect(lines).toContainEqual(
      expect.stringMatching(
        /^order\.Placed\t2\tincompatible\tdata\.total\tBACKWARD: version 2 does not take what version 1 gives: /,
      ),
    );
    expect(lines).toContainEqual(expect.stringMatching(/^order\.Noted\t1\tchanged\tdata/));
    expect(lines.at(-1)).toBe('order.Renamed\t1\tundeclared\t\tthere are events of it, and this code cannot read them');
  });

  test('tells programs the same', async () => {
    const { code, stdout, stderr } = await cli(['schema', 'check', ...wrong, '--json'], { cwd });
    expect(code).toBe(1);
    expect(JSON.parse(stderr)).toMatchObject({ error: { code: 'schemas_differ' } });
    expect(JSON.parse(stdout)).toMatchObject({
      ...{ versions: 4, registered: 1, changed: 1, incompatible: 1, undeclared: 1 },
      wrong: [
        {
          ...{ name: 'order.Placed', version: 2, verdict: 'incompatible', compatibility: 'BACKWARD' },
          problems: [{ path: 'data.total', direction: 'backward', against: 1 }],
        },
        { name: 'order.Noted', version: 1, verdict: 'changed', changes: [{}] },
        { name: 'order.Renamed', version: 1, verdict: 'undeclared' },
      ],
    });
  });

  test('demands another compatibility where it is told to', async () => {
    expect((await failing(['schema', 'check', '--compatibility', 'FULL'], { cwd })).stdout).toMatch(
      /^order\.Placed\t2\tincompatible\tdata\.channel\tFULL: version 2 does not take what version 1 gives: /m,
    );
    const { stdout } = await failing(['schema', 'check', ...wrong, '--compatibility', 'NONE'], { cwd });
    expect(stdout).not.toContain('incompatible');
    expect(await failing(['schema', 'check', '--compatibility', 'SOME'], { cwd })).toMatchObject({ code: 2 });
  });

  test('needs a config, and a command needs to be said', async () => {
    const folder = await emptyProject();
    const store = ['--store', `sqlite:${join(cwd, 'events.db')}`];
    expect((await failing(['schema', 'check', ...store], { cwd: folder })).error).toContain(
      'There is no eventsrc.config',
    );
    expect(await failing(['schema'], { cwd })).toMatchObject({ code: 2, error: 'error: It was not said what to do' });
    writeFileSync(join(folder, 'eventsrc.config.mjs'), `export default { schemas: { compatibility: 'SOME' } };`);
    expect((await failing(['schema', 'check', ...store], { cwd: folder })).error).toContain('compatibility is SOME');
  });
});

test('types of events are completed', async () => {
  const complete = async (...words: readonly string[]) => (await cli(['complete', '--', ...words], { cwd })).stdout;
  expect(await complete('schema', 'sh')).toMatch(/^show\t/);
  expect(await complete('schema', 'show', 'order.P')).toBe('order.Placed\tevent\norder.Paid\tevent\n:4\n');
});
