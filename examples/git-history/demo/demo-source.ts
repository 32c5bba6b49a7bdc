import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openBundledSource } from '../bundled-source.ts';
import { Failure } from '../failure.ts';
import { openGitSource } from '../git-source.ts';
import type { HistorySource } from '../history-source.ts';

const cloneFolder = fileURLToPath(new URL('../../..', import.meta.url));
const commitsMin = 5;

/** Which history is shown, in a form that can be passed to another process. */
export type DemoSourceName = 'clone' | 'bundled';

export function openDemoSource(name: DemoSourceName): Promise<HistorySource> {
  return name === 'clone' ? openGitSource(cloneFolder) : openBundledSource();
}

/** The history of this clone, or the bundled one and the reason why. */
export async function chooseDemoSource(): Promise<{ readonly name: DemoSourceName; readonly reason?: string }> {
  // Without this look git would search the folders above, and find some other repository.
  if (!existsSync(join(cloneFolder, '.git'))) return { name: 'bundled', reason: 'This folder is not a git clone.' };
  try {
    const source = await openDemoSource('clone');
    const commits = (await source.countAfter(null)) ?? 0;
    return commits >= commitsMin
      ? { name: 'clone' }
      : { name: 'bundled', reason: 'The history of this clone is very short.' };
  } catch (error) {
    if (error instanceof Failure) return { name: 'bundled', reason: error.message };
    throw error;
  }
}
