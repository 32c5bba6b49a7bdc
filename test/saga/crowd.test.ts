import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runProgram } from '../support/child.ts';
import { temporaryFolder } from '../support/temporary.ts';

const mebibyte = 1_024 * 1_024;

test('10,000 sagas that wait at the same time are not held in memory, and their streams are none of the user', async () => {
  const file = join(await temporaryFolder(), 'crowd.db');
  const [line = ''] = await runProgram('saga-crowd', [file, '10000', '8']);
  const { before, waiting, ...rest } = JSON.parse(line) as { readonly before: number; readonly waiting: number };
  expect(rest).toMatchObject({ warnings: [], attempts: 10_000, completed: 10_000 });
  // With what each carries alone they have 78.
  expect((waiting - before) / mebibyte).toBeLessThan(70);
});
