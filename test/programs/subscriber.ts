/** Follows FILE until it has seen COUNT events, each once and in order, and prints how many it saw. */
import { openLog } from 'eventsrc';
import { sqlite } from 'eventsrc/sqlite';

const [file = '', count = '0'] = process.argv.slice(2);
await using log = await openLog({ store: sqlite(file) });
const versions = new Map<string, number>();
let seen = 0;
while (seen < Number(count)) {
  await log.appended(seen);
  for await (const page of log.read({ after: seen, pageSize: 100 })) {
    for (const { position, stream, version } of page) {
      if (position !== seen + 1) throw new Error(`position ${position} after ${seen}`);
      if (version !== (versions.get(stream) ?? 0) + 1)
        throw new Error(`version ${version} of ${stream} after ${versions.get(stream)}`);
      versions.set(stream, version);
      seen = position;
    }
  }
}
console.log(seen);
