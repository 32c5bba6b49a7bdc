/**
 * npm test [-- arguments for vitest]: everything that must hold before a commit, the quickest checks first. Stops at
 * the first failing check of the sources; the last line on stdout is `N passed, N failed`.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** What is read of vitest's JSON report, which is missing if vitest did not get as far as to run anything. */
interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly testResults: readonly {
    readonly status: string;
    readonly assertionResults: readonly { readonly status: string }[];
  }[];
}

const root = join(import.meta.dirname, '..');
const checks = [
  { title: 'Build', command: ['scripts/build.ts'] },
  // By its path: the bin link called tsc may belong to one of the older versions that the tests compile with.
  { title: 'Types', command: ['node_modules/typescript/bin/tsc', '-p', '.'] },
  { title: 'Lint', command: ['node_modules/.bin/oxlint', '--deny-warnings'] },
  { title: 'Format', command: ['node_modules/.bin/oxfmt', '--check'] },
  { title: 'Dead code', command: ['node_modules/.bin/knip', '--no-progress'] },
];

for (const { title, command } of checks) {
  if ((await runNode(title, command)) === 0) continue;
  console.log(`\n${title} failed: no test was run.`);
  process.exit(1);
}
process.exit(await runTests(process.argv.slice(2)));

/** The exit code. */
async function runNode(title: string, args: readonly string[]): Promise<number> {
  console.log(`\n== ${title}`);
  const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => child.kill(signal));
  const [code] = (await once(child, 'exit')) as [number | null];
  return code ?? 1;
}

async function runTests(args: readonly string[]): Promise<number> {
  mkdirSync(join(root, '.tmp'), { recursive: true });
  const folder = mkdtempSync(join(root, '.tmp/report-'));
  try {
    const file = join(folder, 'report.json');
    const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`];
    const code = await runNode('Tests', ['node_modules/vitest/vitest.mjs', 'run', ...reporters, ...args]);
    const report = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Report) : undefined;
    const { passed, failed, skipped } = count(report, code);
    console.log(`\n${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
    return failed === 0 && passed > 0 ? 0 : 1;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** A file that broke outside its tests counts as a failed test, and so does whatever else made vitest fail. */
function count(report: Report | undefined, code: number): { passed: number; failed: number; skipped: number } {
  const broken = report?.testResults.filter(
    (file) => file.status === 'failed' && !file.assertionResults.some(({ status }) => status === 'failed'),
  );
  const failed = (report?.numFailedTests ?? 0) + (broken?.length ?? 0);
  return {
    passed: report?.numPassedTests ?? 0,
    failed: failed === 0 && code !== 0 ? 1 : failed,
    skipped: (report?.numPendingTests ?? 0) + (report?.numTodoTests ?? 0),
  };
}
