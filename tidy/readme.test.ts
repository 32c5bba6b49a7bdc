import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { run } from './packed-package.ts';
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

test('the first example of the read-me runs', async () => {
  const example = /^```ts\n(.*?)^```$/ms.exec(readme)?.[1];
  if (example === undefined) throw new Error('README.md has no ```ts block: show a first example.');
  // Inside the repository, where `eventsrc` and the schema libraries resolve as they do for a user.
  mkdirSync(join(root, '.tmp'), { recursive: true });
  const folder = mkdtempSync(join(root, '.tmp/readme-'));
  try {
    writeFileSync(join(folder, 'example.ts'), example);
    await run(process.execPath, ['example.ts'], folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
