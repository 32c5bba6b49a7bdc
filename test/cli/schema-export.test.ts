/** `eventsrc schema diff` and `export`: what has changed, and the system as others see it. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { cli, done, failing, printed } from './cli-process.ts';
import { sagasProject } from './sagas-project.ts';
import { appendByOldCode, schemaProject, soundEvents } from './schema-project.ts';

let cwd = '';

beforeAll(async () => {
  cwd = await schemaProject();
  appendByOldCode(cwd, soundEvents);
});

const wrong = ['--config', 'wrong.mjs'];

describe('schema diff', () => {
  test('says field by field what the last version changed, and who understands whom', async () => {
    const [changes = '', ways = ''] = (await done(['schema', 'diff', 'Placed'], { cwd })).split('\n\n');
    expect(changes.split('\n').map((line) => line.split('\t').slice(0, 2).join(' '))).toEqual([
      'field change',
      'data.customer changed',
      'data.items[].cents added',
      'data.channel added',
    ]);
    expect(ways.trimEnd().split('\n').sort()).toEqual([
      expect.stringMatching(/^backward\t2 reads 1\tincompatible\tdata\.channel\t./),
      expect.stringMatching(/^backward\t2 reads 1\tincompatible\tdata\.customer\t./),
      expect.stringMatching(/^backward\t2 reads 1\tincompatible\tdata\.items\[\]\.cents\t./),
      'direction\tmeaning\tverdict\tfield\twhy',
      'forward\t1 reads 2\tcompatible',
    ]);
  });

  test('is one object for programs, in either order', async () => {
    const [there] = await printed<Record<string, object>>(['schema', 'diff', 'order.Placed', '1', '2'], { cwd });
    expect(there).toMatchObject({
      ...{ name: 'order.Placed', from: { version: 1, of: 'declared' }, to: { version: 2, of: 'declared' } },
      changes: expect.arrayContaining([expect.objectContaining({ path: 'data.channel', change: 'added' })]),
      backward: {
        compatible: false,
        problems: expect.arrayContaining([expect.objectContaining({ path: 'data.channel' })]),
      },
      forward: { compatible: true, problems: [] },
    });
    const [back] = await printed<Record<string, object>>(['schema', 'diff', 'Placed', '2', '1'], { cwd });
    expect(back).toMatchObject({ backward: there?.['forward'], forward: there?.['backward'] });
  });

  test('compares what was changed in place with what was registered', async () => {
    const expected = /^data\.text\tchanged\t.*number.*$/m;
    expect(await done(['schema', 'diff', 'Noted', ...wrong], { cwd })).toMatch(expected);
    expect(await done(['schema', 'diff', 'Noted', 'registered:1', 'declared', ...wrong], { cwd })).toMatch(expected);
    const { code, stdout, stderr } = await cli(['schema', 'diff', 'order.Noted'], { cwd });
    expect({ code, stdout, stderr }).toEqual({
      code: 0,
      stdout:
        'direction\tmeaning\tverdict\tfield\twhy\nbackward\t1 reads 1\tcompatible\t\t\nforward\t1 reads 1\tcompatible\t\t\n',
      stderr: 'version 1, as registered, and version 1, as declared, of order.Noted are the same\n',
    });
  });

  test.each([
    [['Paid'], 'order.Paid has one version only'],
    [['Placed', '1', '3'], 'order.Placed has no version 3; known: 1, 2'],
    [['Placed', 'first'], '"first" is no version'],
    [['Placed', 'registered:2'], 'Version 2 of order.Placed is not registered'],
    [['hall.Opened', 'declared'], 'No version of hall.Opened is declared'],
  ] as const)('%j is one line and a remedy', async (args, error) => {
    expect(await failing(['schema', 'diff', ...args], { cwd })).toMatchObject({
      code: 2,
      error: expect.stringContaining(error),
    });
  });
});

describe('schema export', () => {
  let shop = '';

  beforeAll(async () => {
    shop = await sagasProject();
    writeFileSync(join(shop, 'package.json'), '{"name": "shop", "version": "3.2.1", "description": "Sells parcels."}');
    await done(['append', 'order-1', 'OrderPlaced', '{"total": 5}'], { cwd: shop });
  });

  const exported = (format: string, folder = shop) => done(['schema', 'export', '--format', format], { cwd: folder });

  test('draws commands, events and sagas', async () => {
    const text = await exported('mermaid');
    expect(text).toMatch(/^---\ntitle: "shop"\n---\nflowchart LR\n/);
    for (const name of ['place', 'OrderPlaced', 'OrderShipped', 'fulfilment', 'charge', 'refund'])
      expect(text).toContain(name);
  });

  test('describes for tools what is sent, in every version', async () => {
    const document = JSON.parse(await exported('asyncapi', cwd)) as Record<string, object>;
    expect(document).toMatchObject({ asyncapi: '3.0.0', info: { version: '0.0.0' } });
    const text = JSON.stringify(document);
    for (const name of ['Placed', 'channel', 'Opened', 'x-retired']) expect(text).toContain(name);
    expect(JSON.parse(await exported('asyncapi'))).toMatchObject({
      info: { title: 'shop', version: '3.2.1', description: 'Sells parcels.' },
    });
    const bundle = await exported('jsonschema', cwd);
    expect(JSON.parse(bundle)).toBeTypeOf('object');
    for (const field of ['channel', 'cents', 'customer']) expect(bundle).toContain(`"${field}"`);
  });

  test('says for people which events there are', async () => {
    const text = await exported('markdown', cwd);
    for (const line of [/^#.*Placed/m, /Retired: read as/, /`?items\[\]\.cents`?/]) expect(text).toMatch(line);
  });

  test('writes a file, and overwrites none', async () => {
    const typed = ['schema', 'export', '--format', 'markdown', '--output', 'EVENTS.md'];
    expect(await done(typed, { cwd })).toBe('✔ Wrote 6 types of events as markdown to EVENTS.md\n');
    expect(readFileSync(join(cwd, 'EVENTS.md'), 'utf8')).toBe(await exported('markdown', cwd));
    expect(await failing(typed, { cwd })).toMatchObject({
      code: 1,
      error: expect.stringContaining('EVENTS.md exists'),
    });
    expect(await printed([...typed, '--force'], { cwd })).toEqual([
      { file: 'EVENTS.md', format: 'markdown', events: 6 },
    ]);
  });

  test('needs a format that there is, and a config', async () => {
    expect(await failing(['schema', 'export'], { cwd })).toMatchObject({
      code: 2,
      error: expect.stringContaining("'--format <format>' not specified"),
    });
    expect((await failing(['schema', 'export', '--format', 'xml', '--output', 'x'], { cwd })).code).toBe(2);
    expect(existsSync(join(cwd, 'x'))).toBe(false);
  });
});
