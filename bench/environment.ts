import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs';
import { rm, statfs } from 'node:fs/promises';
import { availableParallelism, cpus, loadavg, platform } from 'node:os';
import { join } from 'node:path';
import { sampleDataBytes } from './contestants/sample-events.ts';

/** Where a table was measured: absolute figures mean nothing without it. */
export interface Environment {
  readonly node: string;
  readonly sqlite: string;
  readonly platform: string;
  readonly processor: string;
  readonly cores: number;
  /** Of the last minute before the run: above 0.5, other work was going on. */
  readonly loadAverage: number;
  readonly disk: Disk;
  readonly fsync: string;
  readonly eventBytes: number;
  readonly peers: readonly string[];
}

interface Disk {
  readonly fileSystem: string;
  /** 4 KiB of an existing file overwritten, each time followed by fdatasync: what a commit asks of the disk at least. */
  readonly syncedWritesPerSecond: number;
  /** Nothing there outlives the machine, so durability costs nothing and a figure says nothing. */
  readonly isMemory: boolean;
}

/** `f_type` of statfs(2), on Linux. */
const fileSystems: ReadonlyMap<number, string> = new Map([
  [0x0102_1994, 'tmpfs'],
  [0x8584_58f6, 'ramfs'],
  [0xef53, 'ext4'],
  [0x5846_5342, 'xfs'],
  [0x9123_683e, 'btrfs'],
  [0x2fc1_2fc1, 'zfs'],
  [0x794c_7630, 'overlayfs'],
]);

export async function describeEnvironment(folder: string, peers: readonly string[]): Promise<Environment> {
  return {
    node: process.version,
    sqlite: process.versions['sqlite'] ?? 'unknown',
    platform: `${platform()} ${process.arch}`,
    processor: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    loadAverage: loadavg()[0] ?? NaN,
    disk: await describeDisk(folder),
    fsync: 'WAL, synchronous=FULL: each commit is synced',
    eventBytes: sampleDataBytes,
    peers,
  };
}

async function describeDisk(folder: string): Promise<Disk> {
  const { type } = await statfs(folder);
  const fileSystem = platform() === 'linux' ? (fileSystems.get(type) ?? `0x${type.toString(16)}`) : platform();
  const isMemory = fileSystem === 'tmpfs' || fileSystem === 'ramfs';
  return { fileSystem, syncedWritesPerSecond: await syncedWritesPerSecond(folder), isMemory };
}

async function syncedWritesPerSecond(folder: string): Promise<number> {
  const file = join(folder, 'synced-writes');
  const page = Buffer.alloc(4_096, 1);
  const writes = 500;
  const fd = openSync(file, 'w');
  // As a write-ahead log is, from its first checkpoint on: a file that grows costs more to sync.
  writeSync(fd, Buffer.alloc(writes * page.length));
  fdatasyncSync(fd);
  const startedAt = performance.now();
  for (let write = 0; write < writes; write++) {
    writeSync(fd, page, 0, page.length, write * page.length);
    fdatasyncSync(fd);
  }
  const seconds = (performance.now() - startedAt) / 1_000;
  closeSync(fd);
  await rm(file);
  return Math.round(writes / seconds);
}
