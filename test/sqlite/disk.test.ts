/** Disks that are full, read-only or broken. Each case needs a right or a tool that not every machine gives. */
import { execFileSync } from 'node:child_process';
import { appendFileSync } from 'node:fs';
import { chmod, copyFile, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { openLog } from 'eventsrc';
import { sqlite } from 'eventsrc/sqlite';
import { expect, test } from 'vitest';
import { runLength } from '../../src/sqlite/event-index.ts';
import { checkRuns } from '../../src/sqlite/index-runs.ts';
import { packEvents } from '../../src/sqlite/packed-events.ts';
import { Writer } from '../../src/sqlite/writer.ts';
import { draft } from '../../src/testing/drafts.ts';
import { runProgram } from '../support/child.ts';
import { canMount, isRoot, succeeds, withDisk } from '../support/disk.ts';
import { temporaryFolder } from '../support/temporary.ts';

async function positions(file: string): Promise<readonly number[]> {
  await using log = await openLog({ store: sqlite(file) });
  const found: number[] = [];
  for await (const page of log.read({ stream: 'order-1' })) found.push(...page.map(({ position }) => position));
  return found;
}

function parse(lines: readonly string[]): {
  acknowledged: readonly number[];
  errors: readonly { code: string; outcome?: string; message: string }[];
} {
  const values = lines.map((line) => JSON.parse(line) as unknown);
  return {
    acknowledged: values.filter((value) => typeof value === 'number'),
    errors: values.filter((value) => typeof value === 'object') as { code: string; message: string }[],
  };
}

test.skipIf(!canMount)(
  'a full disk: a clear error, nothing acknowledged is lost, and the store goes on once there is room',
  async () => {
    await withDisk('3m', async (disk) => {
      const file = join(disk, 'store.db');
      const { acknowledged, errors } = parse(await runProgram('until-refused', [file]));
      expect(acknowledged.length).toBeGreaterThan(50);
      expect(errors.map(({ code }) => code)).toEqual(['store_full', 'store_full', 'store_full']);
      expect(errors[0]?.message).toContain('Free some space');
      execFileSync('mount', ['-o', 'remount,size=9m', disk]);
      expect(await positions(file)).toEqual(acknowledged);
      const { acknowledged: more } = parse(await runProgram('until-refused', [file]));
      expect(more[0]).toBe(acknowledged.length + 1);
      expect(more.length).toBeGreaterThan(100);
    });
  },
);

test.skipIf(!canMount)('a full disk leaves no hole in the index', async () => {
  await withDisk('16m', async (disk) => {
    const file = join(disk, 'store.db');
    const writer = new Writer({ file, create: true, lockTimeoutMs: 1_000, eventsPerStreamMax: Infinity });
    const writes = [{ stream: 'order-1', expected: 'any', count: runLength }] as const;
    const events = packEvents(Array.from({ length: runLength }, () => draft('A')));
    writer.append({ requests: [{ writes, checks: [], conditions: [], receipts: [] }], events, now: 1_000 });
    const other = new DatabaseSync(file);
    const written = () => Number(other.prepare('select count(*) as count from index_blocks').get()?.['count']);
    // In the middle of the run there is no room for one more slice.
    while (written() === 0) writer.buildIndex();
    const ballast = join(disk, 'ballast');
    fillDisk(ballast);
    const before = written();
    expect(writer.buildIndex()).toBe(false);
    expect(written()).toBe(before);
    await rm(ballast);
    do expect(writer.buildIndex()).toBe(true);
    while (writer.isIndexDue);
    checkRuns(other, file);
    expect(other.prepare('select last from index_runs').all()).toEqual([{ last: runLength }]);
    other.close();
    writer.close();
  });
});

function fillDisk(file: string): void {
  try {
    for (;;) appendFileSync(file, new Uint8Array(4_096));
  } catch (error) {
    expect(error).toMatchObject({ code: 'ENOSPC' });
  }
}

test('a disk without room for a new store says so', { skip: !canMount }, async () => {
  await withDisk('8k', async (disk) => {
    await expect(openLog({ store: sqlite(join(disk, 'store.db')) })).rejects.toMatchObject({ code: 'store_full' });
  });
});

/** Root may write everything, unless it gives up the capability. */
const withoutPrivilege = isRoot ? ['setpriv', '--bounding-set=-dac_override', '--inh-caps=-all'] : [];
const canBeRefused = !isRoot || succeeds('setpriv', ...withoutPrivilege.slice(1), 'true');

test.skipIf(!canBeRefused)(
  'a file and a folder that may not be written are refused, and the file is left as it is',
  async () => {
    const folder = await temporaryFolder();
    const file = join(folder, 'store.db');
    await runThenClose(file);
    await chmod(file, 0o444);
    await chmod(folder, 0o555);
    try {
      const [line = ''] = await runProgram('until-refused', [file], { prefix: withoutPrivilege });
      expect(['store_read_only', 'store_unavailable']).toContain((JSON.parse(line) as { code: string }).code);
    } finally {
      await chmod(folder, 0o755);
    }
    expect(await positions(file)).toEqual([1]);
  },
);

async function runThenClose(file: string): Promise<void> {
  await using log = await openLog({ store: sqlite(file) });
  await log.append([{ stream: 'order-1', events: [{ type: 'A', data: 1 }] }]);
}

test('a folder that does not exist, and one in the place of the file', async () => {
  const folder = await temporaryFolder();
  await mkdir(join(folder, 'taken'));
  const stores = [
    sqlite(join(folder, 'missing', 'store.db')),
    sqlite(join(folder, 'taken')),
    sqlite(join(folder, 'absent.db'), { create: false }),
  ];
  for (const store of stores) {
    await expect(openLog({ store })).rejects.toMatchObject({
      code: 'store_unavailable',
      remedy: expect.stringContaining('folder'),
    });
  }
});

const canCompile = process.platform === 'linux' && succeeds('cc', '--version');

test.skipIf(!canCompile).for([
  ['', []],
  [' of groups that are folded', ['inline']],
] as const)(
  'a failed sync%s is fatal: every waiting call fails, no more is written, and opening again verifies',
  async ([, options]) => {
    const folder = await temporaryFolder();
    const library = join(folder, 'sync-failure.so');
    const source = fileURLToPath(new URL('../support/sync-failure.c', import.meta.url));
    execFileSync('cc', ['-shared', '-fPIC', '-o', library, source, '-ldl']);
    const file = join(folder, 'store.db');
    const flag = join(folder, 'fail');
    const env = { ...process.env, LD_PRELOAD: library, SYNC_FAILURE_FLAG: flag };
    const { acknowledged, errors } = parse(await runProgram('until-refused', [file, flag, ...options], { env }));
    expect(acknowledged).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(errors.map(({ code }) => code)).toEqual(['store_failed', 'store_failed', 'store_failed']);
    expect(errors[0]?.outcome).toBe('unknown');
    expect(errors[0]?.message).toMatch(/sync|I\/O/);
    // While the disk is still broken the store cannot be made good, and does not pretend to be.
    await copyFile(file, join(folder, 'kept.db'));
    await rm(flag);
    const found = await positions(file);
    // The append whose sync failed may be there; those refused afterwards are not.
    expect([10, 11]).toContain(found.length);
    expect(found.slice(0, 10)).toEqual(acknowledged);
    await runThenClose(file);
    expect((await positions(file)).length).toBe(found.length + 1);
  },
);
