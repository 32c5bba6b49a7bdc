/**
 * Starts COUNT sagas on FILE that all wait for one gate, each with KILOBYTES of its own; then opens the gate. Prints, as JSON: the bytes of the
 * heap before and while all of them wait; warnings about limits; how many attempts there were, and how many sagas completed.
 */
import { activity, defineSaga, openEngine, steps } from 'eventsrc';
import { sqlite } from 'eventsrc/sqlite';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';

const [file = '', count = '', kilobytes = ''] = process.argv.slice(2);
setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

function heap(): number {
  collect();
  return process.memoryUsage().heapUsed;
}

const concurrency = 500;
const pass = activity({
  name: 'pass',
  input: z.object({}),
  output: z.object({}),
  timeoutMs: 2 ** 31 - 1,
  concurrency,
});
const crowd = defineSaga({
  name: 'crowd',
  events: {},
  input: z.object({ luggage: z.string() }),
  activities: { pass },
  initialState: { luggage: '' },
  evolve: (state, event) => (event.type === 'started' ? event.data : state),
  next: steps([() => pass('pass', {})]),
});

const gate = Promise.withResolvers<void>();
const warnings: string[] = [];
let started = 0;
const open = () =>
  openEngine({
    store: sqlite(file),
    sagas: [crowd],
    activities: [
      pass.implement(async () => {
        started += 1;
        await gate.promise;
        return {};
      }),
    ],
    onWarning: ({ message }) => warnings.push(message),
    hooks: { consumer: () => {}, saga: () => {} },
  });
let engine = await open();
const before = heap();
const all = Number(count);
const start = async (id: number) => {
  // A string of its own.
  const luggage = Buffer.alloc(Number(kilobytes) * 1_024, `${id} `).toString();
  await engine.start(crowd, `${id}`, { luggage });
};
const until = async (isSo: () => boolean | Promise<boolean>) => {
  while (!(await isSo())) await pause(5);
};
// When it is at the gate, whoever works is ready for all others.
await start(0);
await until(() => started === 1);
for (let first = 1; first < all; first += 250)
  await Promise.all(Array.from({ length: Math.min(250, all - first) }, (_, index) => start(first + index)));
await until(async () => started === concurrency && (await engine.sagas.counts())[0]?.started === all);
const waiting = heap();
gate.resolve();
await engine.settled({ timeoutMs: 60_000 });
await engine.close();
engine = await open();
const [counts] = await engine.sagas.counts();
await engine.log.append([{ stream: 'user-1', events: [{ type: 'Noted', data: {} }] }]);
await engine.close();
console.log(JSON.stringify({ before, waiting, warnings, attempts: started, completed: counts?.completed }));
