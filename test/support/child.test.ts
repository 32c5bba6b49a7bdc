import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startProgram } from './child.ts';
import { temporaryFolder } from './temporary.ts';

test('a program whose starter is gone ends, also one that would wait for ever', async () => {
  const file = join(await temporaryFolder(), 'store.db');
  const appending = startProgram('appender', [file, 'run']);
  const waiting = startProgram('subscriber', [file, String(Number.MAX_SAFE_INTEGER)]);
  await appending.nextLine();
  // What the end of this process would do.
  for (const { process } of [appending, waiting]) process.stdin?.destroy();
  expect((await appending.finished).code).toBe(1);
  expect((await waiting.finished).code).toBe(1);
});
