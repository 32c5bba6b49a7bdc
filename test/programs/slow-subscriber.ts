/**
 * Appends to FILE while somebody follows who has stopped at the first batch: COUNT thousands of events of a kilobyte. Prints how many bytes more
 * are in use then; after that the follower goes on, and how many events it has seen is printed.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { openLog } from 'eventsrc';
import { sqlite } from 'eventsrc/sqlite';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

function bytesInUse(): number {
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

const [file = '', count = '0'] = process.argv.slice(2);
await using log = await openLog({ store: sqlite(file), limits: { eventsPerStream: Infinity, eventsPerAppend: 2_000 } });
const events = Array.from({ length: 1_000 }, () => ({ type: 'Stored', data: 'x'.repeat(1_000) }));
await log.append([{ stream: 'crate-1', events }]);

const goOn = Promise.withResolvers<void>();
const isAtWork = Promise.withResolvers<void>();
const total = 1_000 * (Number(count) + 1);
const following = (async () => {
  let seen = 0;
  for await (const batch of log.subscribe({ batchSize: 50 })) {
    seen += batch.events.length;
    isAtWork.resolve();
    await goOn.promise;
    if (seen >= total) return seen;
  }
  return seen;
})();
await isAtWork.promise;
const before = bytesInUse();
for (let thousand = 0; thousand < Number(count); thousand++) await log.append([{ stream: 'crate-1', events }]);
console.log(bytesInUse() - before);
goOn.resolve();
console.log(await following);
