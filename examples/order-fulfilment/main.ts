/** `eventsrc demo [FILE]`: event sourcing in a minute, for someone who has never met it. The file is kept. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { faint, line, title } from '../narrator.ts';
import { openShop } from './shop.ts';
import { showAnswers } from './show-answers.ts';
import { showClerks } from './show-clerks.ts';
import { showHistory } from './show-history.ts';
import { showKill } from './show-kill.ts';
import { showOrder } from './show-order.ts';
import { showSeats } from './show-seats.ts';

async function run(file: string): Promise<void> {
  title('eventsrc: a ticket shop that remembers everything');
  console.log(faint('One file on disk, no server. Everything below really happens, while you read.'));

  await using engine = await openShop(file);
  await showOrder(engine);
  await showAnswers(engine);
  await showClerks(engine, file);
  await showSeats(engine);
  await showHistory(engine);
  await showKill(engine, file);

  console.log('\nThe code is in the repository, in examples/order-fulfilment: order.ts first. Next:');
  if (kept !== undefined) line(`eventsrc read --store sqlite:${kept}      what has just happened, event by event`);
  line('eventsrc init my-app      a config, a first aggregate and its test');
}

const [kept] = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), 'eventsrc-demo-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
process.once('SIGINT', () => process.exit(130));
// Whoever was reading (`| head`) has seen enough.
process.stdout.on('error', () => process.exit());
await run(kept ?? join(folder, 'shop.db'));
