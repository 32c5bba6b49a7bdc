/** Follows the log at URL for COUNT events and says when it had each. */
import { openBenchLog } from '../contestants/eventsrc.ts';

const [url = '', count = '0'] = process.argv.slice(2);
const log = await openBenchLog(url);
const seen: number[] = [];
process.send?.('ready');
while (seen.length < Number(count)) {
  await log.appended(seen.length);
  for await (const page of log.read({ after: seen.length })) seen.push(...page.map(() => Date.now()));
}
process.send?.(seen);
await log.close();
