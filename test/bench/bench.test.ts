import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { temporaryFolder } from '../support/temporary.ts';

const main = join(import.meta.dirname, '../../bench/main.ts');

/** What docs/benchmarks.md promises of the file; the bench's own types are not asked. */
interface Written {
  readonly environment: Readonly<Record<string, unknown>>;
  readonly rows: readonly {
    readonly id: string;
    readonly what: string;
    readonly unit: string;
    readonly value: number;
    readonly p50?: number;
    readonly p99?: number;
    readonly max?: number;
    readonly against: readonly { readonly name: string; readonly value: number; readonly ratio: number }[];
  }[];
}

const ids = [
  ...['append.serial', 'append.c32', 'append.c256', 'append.c1024', 'append.batch100', 'append.any', 'append.tagged'],
  ...['command.c256', 'command.snapshots', 'load.cold', 'load.snapshot', 'load.full', 'replay.full', 'read.all'],
  ...['append.projected', 'projection.inline', 'projection.catchup', 'saga.throughput', 'schema.check'],
  ...['saga.timers', 'saga.idle'],
  ...['schema.read', 'schema.upcast', 'projection.lag', 'view.query', 'view.range', 'move.export', 'move.import'],
  ...['growth.append', 'growth.load', 'open.events', 'open.receipts', 'memory', 'size'],
];

describe('the bench', () => {
  test('measures every row, and writes it down', { timeout: 120_000 }, async () => {
    const folder = await temporaryFolder();
    const file = join(folder, 'figures.json');
    const { stdout } = await runBench('--quick', '--json', file, '--dir', folder);
    const { environment, rows } = JSON.parse(await readFile(file, 'utf8')) as Written;
    expect(environment).toMatchObject({ node: process.version, sqlite: process.versions['sqlite'] });
    expect(rows.map(({ id }) => id)).toEqual(ids);
    for (const { id, what, value, p50 = 1, p99 = 1, max = 1, against } of rows) {
      const figures = [value, p50, p99, max, ...against.flatMap((other) => [other.value, other.ratio])];
      expect(
        figures.every((figure) => Number.isFinite(figure) && figure > 0),
        `${id}: ${figures.join(' ')}`,
      ).toBe(true);
      expect(p50 <= p99 && p99 <= max, id).toBe(true);
      // Without peers commands have nobody to be compared with; a lag is compared with nothing.
      expect(against.length > 0 || ['command.c256', 'projection.lag', 'saga.timers'].includes(id), id).toBe(true);
      expect(stdout).toContain(`${id}: ${what}`);
    }
    expect(await readdir(folder)).toEqual(['figures.json']);
  });

  test('refuses a row that it does not have, and names those that it has', async () => {
    await expect(runBench('--only', 'append.parallel')).rejects.toThrow(/append\.serial, append\.c32/);
  });
});

function runBench(...args: readonly string[]): Promise<{ readonly stdout: string }> {
  return promisify(execFile)(process.execPath, [main, ...args]);
}
