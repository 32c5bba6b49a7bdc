/** Withdraws 1 from the account on FILE, COUNT times, a random number at once. Prints how the commands ended. */
import { openEngine } from 'eventsrc';
import { sqlite } from 'eventsrc/sqlite';
import { account } from '../command/account.ts';

const [file = '', count = '0'] = process.argv.slice(2);
await using engine = await openEngine({ store: sqlite(file), aggregates: [account], commandTimeoutMs: 60_000 });
const kinds: Record<string, number> = {};
for (let left = Number(count); left > 0;) {
  const some = Math.min(left, 1 + Math.floor(Math.random() * 20));
  left -= some;
  const receipts = await Promise.all(
    Array.from({ length: some }, () => engine.execute(account.commands.withdraw('shared', { amount: 1 }))),
  );
  for (const { kind } of receipts) kinds[kind] = (kinds[kind] ?? 0) + 1;
}
console.log(JSON.stringify(kinds));
