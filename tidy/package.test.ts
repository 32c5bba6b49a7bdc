/** What ships, tried as users will meet it. dist/ must be current: npm test builds it first. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isBuiltin, isRelative, resolveRelative, specifiersOf } from './imports.ts';
import { packPackage, run } from './packed-package.ts';
import type { PackedPackage } from './packed-package.ts';
import { root } from './source-files.ts';

let packed: PackedPackage;
beforeAll(async () => {
  packed = await packPackage();
});
afterAll(() => packed?.[Symbol.dispose]());

describe.concurrent('the packed package', () => {
  test('holds what is built, what init writes, the read-me and the license', () => {
    expect(packed.contents).toEqual(['LICENSE', 'README.md', 'dist', 'package.json', 'template']);
  });

  test('needs no other package but the driver of a server: the command line has what it uses in itself', () => {
    const strangers = packed.modules.flatMap(specifiersOf).filter((name) => !isRelative(name) && !isBuiltin(name));
    expect([...new Set(strangers)]).toEqual(['pg']);
    const licenses = readFileSync(join(packed.installed, 'dist/cli/THIRD-PARTY-LICENSES.txt'), 'utf8');
    for (const name of ['commander', 'cli-progress', 'string-width', '@bomb.sh/tab', 'zod'])
      expect(licenses).toMatch(new RegExp(`^${name} [0-9.]+ \\(MIT\\)`, 'm'));
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

  test('has a command line, under two names', async () => {
    const project = packed.project({});
    const append = ['append', 'order-1', 'Placed', '--store', 'sqlite:a.db'];
    for (const name of ['es', 'eventsrc'])
      expect(await runProgram(name, append, project)).toMatch(/Placed is version \d of order-1/);
    expect(await runProgram('eventsrc', ['stats', '--store', 'sqlite:a.db'], project)).toMatch(/^events\t2$/m);
  });

  test('begins a project whose tests pass', async () => {
    const project = packed.project({});
    await runProgram('eventsrc', ['init', '.'], project);
    expect(await run(process.execPath, ['--test', '--test-reporter=tap'], project)).toMatch(/^# pass 3$/m);
    await runTool('typescript/bin/tsc', ['-p', '.'], project);
    const execute = ['execute', 'account.open', '1', '{"owner": "Ada"}'];
    expect(await runProgram('eventsrc', execute, project)).toContain('AccountOpened');
    expect(await runProgram('eventsrc', ['state', 'account-1'], project)).toContain('state.owner\tAda');
    await expect(runProgram('eventsrc', ['init', '.'], project)).rejects.toThrow('exists');
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

/** Under this Node, whichever stands first on the PATH. */
function runProgram(name: string, args: readonly string[], cwd: string): Promise<string> {
  return run(process.execPath, [join(packed.bin, name), ...args], cwd);
}

function runTool(path: string, args: readonly string[], cwd: string): Promise<string> {
  return run(process.execPath, [join(root, 'node_modules', path), ...args], cwd);
}
