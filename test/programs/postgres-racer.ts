/**
 * Races for rounds on URL and SCHEMA: for each line of standard input, a round's name, four logs of its own append at once what
 * only one of all may append. Prints how many of its four won.
 */
import { createInterface } from 'node:readline';
import { openLog } from 'eventsrc';
import { postgres } from 'eventsrc/postgres';

const [url = '', schema = '', isolation = '', name = ''] = process.argv.slice(2);
const connection = {
  connectionString: url,
  options: `-c default_transaction_isolation=${isolation.replace(' ', '\\ ')}`,
};
const logs = await Promise.all([1, 2, 3, 4].map(() => openLog({ store: postgres(connection, { schema }) })));
await Promise.all(logs.map((log) => log.heads(['warm-1'])));
console.log('ready');

for await (const round of createInterface({ input: process.stdin })) {
  const number = Number(round);
  const results = await Promise.all(
    logs.map((log, index) =>
      number % 2 === 0
        ? log.append([{ stream: `round-${round}`, expected: 'no_stream', events: [{ type: 'Won', data: null }] }])
        : log.append(
            [{ stream: `racer-${name}-${index}`, events: [{ type: 'Won', data: null, tags: [`round:${round}`] }] }],
            { conditions: [{ failIfMatch: [{ types: ['Won'], tags: [`round:${round}`] }], after: 0 }] },
          ),
    ),
  );
  console.log(results.filter(({ kind }) => kind === 'appended').length);
}
