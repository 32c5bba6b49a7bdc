/** Processes of two deployments, which know neighbouring versions, on one store. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runProgram, startProgram } from '../support/child.ts';
import { temporaryFolder } from '../support/temporary.ts';

interface Till {
  readonly taken: Readonly<Record<string, number>>;
  readonly refused: number;
}

function tillOf(lines: readonly string[]): Till {
  return JSON.parse(lines[1] ?? '') as Till;
}

function sumOf({ taken }: Till): number {
  return Object.values(taken).reduce((sum, cents) => sum + cents, 0);
}

test('an old and a new process work side by side: nothing is lost, nothing is taken twice, and what the old one cannot know it refuses', async () => {
  const file = join(await temporaryFolder(), 'shop.db');
  const old = startProgram('till', [file, 'old', '600']);
  await old.nextLine();
  const both = await runProgram('till', [file, 'new', '300']);
  while (old.lines.length < 2) await old.nextLine();
  // It has had the view in its hands all the time, and is not asked to give it back.
  old.process.kill('SIGKILL');
  await old.finished;
  const [before, after] = [tillOf(old.lines), tillOf(both)];
  expect(before.refused).toBeGreaterThan(0);
  expect(after.refused).toBe(0);
  expect(Object.keys(before.taken).filter((id) => id.startsWith('old-'))).toHaveLength(5);
  const last = await runProgram('till', [file, 'new', '1']);
  expect(Number(last[2])).toBe(sumOf(before) + sumOf(after) + sumOf(tillOf(last)));
});
