/** Four processes that append to one store at once, each from 64 callers to streams of its own. */
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Contestant, Measurement } from '../contestants/contestant.ts';
import { openBenchLog } from '../contestants/eventsrc.ts';

const program = fileURLToPath(new URL('append-process.ts', import.meta.url));
const processes = 4;

export const fourProcesses: Contestant = {
  name: 'eventsrc, four processes',
  async run(url, { eventsMax, secondsMax }) {
    // One makes the schema before the others come.
    await (await openBenchLog(url)).close();
    const children = Array.from({ length: processes }, (_, index) =>
      fork(program, [url, String(index), String(Math.ceil(eventsMax / processes)), String(secondsMax)]),
    );
    try {
      await Promise.all(children.map((child) => messageOf(child)));
      const startedAt = performance.now();
      for (const child of children) child.send('go');
      const measured = (await Promise.all(children.map((child) => messageOf(child)))) as readonly Measurement[];
      return {
        events: measured.reduce((sum, { events }) => sum + events, 0),
        seconds: (performance.now() - startedAt) / 1_000,
        latenciesMs: measured.flatMap(({ latenciesMs }) => latenciesMs),
        failures: 0,
      };
    } finally {
      for (const child of children) child.kill();
    }
  },
};

/** @throws {Error} if the process ends instead. */
async function messageOf(child: ChildProcess): Promise<unknown> {
  const ended = once(child, 'exit').then(([code]) => Promise.reject(new Error(`A process ended with ${String(code)}`)));
  const [message] = (await Promise.race([once(child, 'message'), ended])) as [unknown];
  return message;
}
