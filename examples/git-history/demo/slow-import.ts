/**
 * The victim of the demo's last chapter, a process of its own: an import that reports every commit to its parent and
 * never gets to the last one, so that it can only be killed in the middle.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { sqlite } from 'eventsrc/sqlite';
import { openHistory } from '../events.ts';
import type { HistorySource } from '../history-source.ts';
import { importHistory } from '../import-history.ts';
import { openDemoSource } from './demo-source.ts';
import type { DemoSourceName } from './demo-source.ts';

const pauseMs = 5;

function slowly(source: HistorySource): HistorySource {
  return {
    name: source.name,
    tip: source.tip,
    quotePath: source.quotePath,
    countAfter: (commit) => source.countAfter(commit),
    async *commits(after) {
      for await (const commit of source.commits(after)) {
        if (commit.id === source.tip) await new Promise(() => {});
        yield commit;
        await sleep(pauseMs);
      }
    },
  };
}

// Not to outlive its parent. Listening also keeps this process alive while it waits.
process.once('disconnect', () => process.exit());

const [file = '', name = 'bundled'] = process.argv.slice(2);
await using log = await openHistory(sqlite(file));
await importHistory(log, slowly(await openDemoSource(name as DemoSourceName)), {
  onProgress: ({ done }) => process.send?.(done),
  limits: { commitsInFlight: 1 },
});
