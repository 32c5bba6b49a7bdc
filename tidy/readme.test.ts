import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { run } from './packed-package.ts';
import { postgresSchemas } from '../test/support/postgres-schemas.ts';
import { root } from './source-files.ts';

const readme = readFileSync(join(root, 'README.md'), 'utf8');

test('every npm script that the read-me names exists', () => {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>;
  };
  const named = [...readme.matchAll(/\bnpm (?:run (?:--?[a-z-]+ )*([a-z][a-z:-]*)|(start|test)\b)/g)];
  const unknown = named.map(([, script, short]) => script ?? short ?? '').filter((name) => !(name in scripts));
  expect(unknown, 'correct README.md, or add these scripts to package.json').toEqual([]);
});

/** The examples of the documentation: each is a program of its own. */
const pages = [
  'README.md',
  'docs/commands.md',
  'docs/projections.md',
  'docs/sagas.md',
  'docs/schemas.md',
  'docs/migrating.md',
  'docs/replay.md',
  'docs/postgres.md',
];
const examples = pages.flatMap((path) =>
  [...readFileSync(join(root, path), 'utf8').matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code = ''], index) => ({
    name: `${path}, example ${index + 1}`,
    code,
    prints: [...code.matchAll(/^.*console\.log\(.*\); \/\/ (.+)$/gm)].map(([, printed = '']) => printed),
  })),
);

test('there are examples', () => {
  expect(examples.length).toBeGreaterThan(4);
});

const newSchema = postgresSchemas();

test.each(examples)('$name runs, and prints what it says', async ({ code, prints }) => {
  // Inside the repository, where `eventsrc` and the schema libraries resolve as they do for a user.
  mkdirSync(join(root, '.tmp'), { recursive: true });
  const folder = mkdtempSync(join(root, '.tmp/readme-'));
  try {
    writeFileSync(join(folder, 'example.ts'), code);
    const printed = await run(process.execPath, ['example.ts'], folder, { DATABASE_URL: databaseUrl() });
    expect(printed.split('\n').filter((line) => line !== '')).toEqual(prints);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

function databaseUrl(): string {
  const { url, schema } = newSchema();
  return `${url}?schema=${schema}`;
}
