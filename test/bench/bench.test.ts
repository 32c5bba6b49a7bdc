import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
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
    readonly unit: string;
    readonly value: number;
    readonly p50: number;
    readonly p99: number;
    readonly max: number;
    readonly against: readonly { readonly name: string; readonly value: number; readonly ratio: number }[];
  }[];
}

describe('the bench', () => {
  test('measures a row against raw SQLite and writes it down', async () => {
    const folder = await temporaryFolder();
    const file = join(folder, 'figures.json');
    const { stdout } = await runBench('--quick', '--only', 'append.serial', '--json', file, '--dir', folder);
    const { environment, rows } = JSON.parse(await readFile(file, 'utf8')) as Written;

    expect(rows.map(({ id, unit }) => ({ id, unit }))).toEqual([{ id: 'append.serial', unit: 'events/s' }]);
    for (const { value, p50, p99, max, against } of rows) {
      const figures = [value, p50, p99, max, ...against.flatMap((other) => [other.value, other.ratio])];
      expect(
        figures.every((figure) => Number.isFinite(figure) && figure > 0),
        figures.join(' '),
      ).toBe(true);
      expect(p50 <= p99 && p99 <= max).toBe(true);
      expect(against.map(({ name }) => name)).toEqual(['raw, one-row commits']);
    }
    expect(environment).toMatchObject({ node: process.version, sqlite: process.versions['sqlite'] });
    expect(stdout).toContain('append.serial');
  });

  test('refuses a row that it does not have, and names those that it has', async () => {
    await expect(runBench('--only', 'append.parallel')).rejects.toThrow(/append\.serial, append\.c32/);
  });
});

function runBench(...args: readonly string[]): Promise<{ readonly stdout: string }> {
  return promisify(execFile)(process.execPath, [main, ...args]);
}
