/** Small disks in memory, where this machine lets us mount them. */
import { execFileSync } from 'node:child_process';
import { temporaryFolder } from './temporary.ts';

/** Whether a program can be run at all, to a good end. */
export function succeeds(command: string, ...args: readonly string[]): boolean {
  try {
    execFileSync(command, args, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

export const isRoot: boolean = process.getuid?.() === 0;
export const canMount: boolean = isRoot && succeeds('unshare', '--mount', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt');

/** @param size as `mount` takes it, for example `3m`. */
export async function withDisk(size: string, use: (folder: string) => Promise<void>): Promise<void> {
  const disk = await temporaryFolder();
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', disk]);
  try {
    await use(disk);
  } finally {
    execFileSync('umount', [disk]);
  }
}
