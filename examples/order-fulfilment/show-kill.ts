import { fork } from 'node:child_process';
import { once } from 'node:events';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Engine } from 'eventsrc';
import { bad, chapter, line } from '../narrator.ts';
import { order } from './order.ts';
import { tell } from './tell.ts';

/** Beside this file, as source or as what was built of it. */
const clerkFile = fileURLToPath(new URL(`unlucky-clerk${extname(import.meta.url)}`, import.meta.url));

/** A process dies between the commit and the answer: the moment that nobody can tell from never having begun. */
export async function showKill(engine: Engine, place: string): Promise<void> {
  chapter(
    'Killed between the deed and the answer',
    'Cleo ships order 1002 from a process of its own, which is killed after the event is on disk and before anybody is\ntold. Was it shipped? She simply tries again, with the same key.',
  );
  const idempotencyKey = 'ship-1002';
  const [, signal] = (await once(fork(clerkFile, [place, '1002', idempotencyKey]), 'exit')) as [null, string];
  bad(`Cleo’s process was killed (${signal}): no answer`);
  const again = await engine.execute(order.commands.ship('1002', { clerk: 'Cleo' }), { idempotencyKey });
  tell('Cleo tries again', again);
  const { state, version } = await engine.load(order, '1002');
  line(`Order 1002 is ${state.status}, at version ${version}: once, not twice, not never.`);
  if (again.kind !== 'accepted' || !again.duplicate) process.exitCode = 1;
}
