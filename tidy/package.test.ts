/** What ships, tried as users will meet it. dist/ must be current: npm test builds it first. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isRelative, resolveRelative, specifiersOf } from './imports.ts';
import { packPackage, run } from './packed-package.ts';
import type { PackedPackage } from './packed-package.ts';
import { root } from './source-files.ts';

let packed: PackedPackage;
beforeAll(async () => {
  packed = await packPackage();
});
afterAll(() => packed?.[Symbol.dispose]());

describe.concurrent('the packed package', () => {
  test('holds what is built, the read-me and the license', () => {
    expect(packed.contents).toEqual(['LICENSE', 'README.md', 'dist', 'package.json']);
  });

  test('imports only what it holds', () => {
    const paths = new Set(packed.modules.map(({ path }) => path));
    const missing = packed.modules.flatMap((file) => {
      const targets = specifiersOf(file).filter(isRelative);
      return targets
        .filter((specifier) => !paths.has(resolveRelative(file, specifier)))
        .map((to) => `${file.path}: ${to}`);
    });
    expect(paths.size).toBeGreaterThan(0);
    expect(missing, 'see how scripts/build.ts rewrites endings').toEqual([]);
  });

  test('pleases publint', async () => {
    await runTool('.bin/publint', ['run', packed.tarball, '--strict'], root);
  });

  test('has types that resolve', async () => {
    // require() of an ES module works in every Node that the package supports: so the profile is esm-only.
    await runTool('.bin/attw', [packed.tarball, '--profile', 'esm-only', '--no-definitely-typed'], root);
  });

  test('works in an ESM project', async () => {
    const project = packed.project({ 'main.mjs': [...packed.doors.map(importing), useOf('memory()')].join('\n') });
    expect(await run(process.execPath, ['main.mjs'], project)).toBe('3 events\n');
  });

  test('finds its threads where it is installed', async () => {
    const project = packed.project({ 'main.mjs': useOf(`sqlite('events.db')`) });
    expect(await run(process.execPath, ['main.mjs'], project)).toBe('3 events\n');
  });

  test('works in a CommonJS project', async () => {
    const requires = packed.doors.map((door) => `console.log(Object.keys(require('${door}')).length > 0);`);
    const project = packed.project({ 'main.cjs': requires.join('\n') });
    expect(await run(process.execPath, ['main.cjs'], project)).toBe('true\n'.repeat(packed.doors.length));
  });

  test.each(['typescript-5.4', 'typescript-5.9', 'typescript-6.0', 'typescript'])(
    'compiles with %s',
    async (compiler) => {
      const project = packed.project({
        'package.json': '{ "type": "module" }',
        'tsconfig.json': JSON.stringify({ compilerOptions: usersOptions }),
        'doors.ts': packed.doors.map(importing).join('\n'),
        'consumer.ts': readFileSync(join(root, 'tidy/consumer.ts'), 'utf8'),
      });
      await runTool(`${compiler}/bin/tsc`, ['-p', '.'], project);
    },
  );
});

/** A user with nothing but the package: no types of Node.js; AbortSignal comes with the DOM's. */
const usersOptions = {
  module: 'nodenext',
  target: 'es2022',
  lib: ['es2022', 'esnext.disposable', 'dom'],
  types: [],
  strict: true,
  skipLibCheck: false,
  noEmit: true,
};

function useOf(store: string): string {
  return `
import { memory, openLog } from 'eventsrc';
import { sqlite } from 'eventsrc/sqlite';
const log = await openLog({ store: ${store} });
const events = [1, 2, 3].map((amount) => ({ type: 'Deposited', data: { amount } }));
await log.append([{ stream: 'account-1', events }]);
let count = 0;
for await (const page of log.read()) count += page.length;
await log.close();
console.log(count + ' events');`;
}

function importing(door: string, index: number): string {
  return `import * as door${index} from '${door}';\nif (Object.keys(door${index}).length === 0) throw new Error('${door} is empty');`;
}

function runTool(path: string, args: readonly string[], cwd: string): Promise<string> {
  return run(process.execPath, [join(root, 'node_modules', path), ...args], cwd);
}
