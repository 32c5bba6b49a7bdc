/** Follows the log at URL and SCHEMA until an event of the type Over, and prints the positions and names it has seen. */
import { openLog } from 'eventsrc';
import { postgres } from 'eventsrc/postgres';

const [url = '', schema = ''] = process.argv.slice(2);
await using log = await openLog({ store: postgres(url, { schema, timeoutMs: 60_000 }) });
let last = 0;
follow: for (;;) {
  await log.appended(last);
  for await (const page of log.read({ after: last })) {
    for (const { position, type, data } of page) {
      last = position;
      if (type === 'Over') break follow;
      console.log(`${position} ${(data as { name: string }).name}`);
    }
  }
}
