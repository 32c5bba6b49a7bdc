/**
 * Does all the keyed commands of SEED on FILE, PER_ACCOUNT of each account, from the beginning, whoever has done some of
 * them before. Prints a line for each.
 */
import { openEngine } from 'eventsrc';
import { sqlite } from 'eventsrc/sqlite';
import { account } from '../command/account.ts';
import { keyedWork } from '../engine/keyed-work.ts';

const [file = '', seed = '0', perAccount = '0'] = process.argv.slice(2);
await using engine = await openEngine({ store: sqlite(file), aggregates: [account], commandTimeoutMs: 60_000 });
await Promise.all(
  keyedWork(Number(seed), Number(perAccount)).map(async (commands) => {
    // A few at a time: some are on their way whenever the process is killed.
    for (let start = 0; start < commands.length; start += 3) {
      const few = commands.slice(start, start + 3);
      const receipts = await Promise.all(
        few.map(({ key, command }) => engine.execute(command, { idempotencyKey: key })),
      );
      for (const [index, receipt] of receipts.entries()) {
        if (receipt.kind !== 'accepted' && receipt.kind !== 'rejected') throw new Error(JSON.stringify(receipt));
        console.log(`${few[index]?.key} ${receipt.kind} ${receipt.duplicate}`);
      }
    }
  }),
);
