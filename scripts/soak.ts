/**
 * npm run soak: soak/ and the usual tests, whose rounds grow with SOAK (a number, 1 unless it is set: they read it
 * themselves). Arguments go to vitest.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const vitest = join(import.meta.dirname, '../node_modules/vitest/vitest.mjs');
const { status } = spawnSync(process.execPath, [vitest, 'run', ...process.argv.slice(2)], {
  cwd: join(import.meta.dirname, '..'),
  env: { SOAK: '1', ...process.env },
  stdio: 'inherit',
});
process.exit(status ?? 1);
