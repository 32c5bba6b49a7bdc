/** `eventsrc demo [PLACE]`: event sourcing in a minute, for someone who has never met it. What it leaves in a place is kept. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { faint, line, title } from '../narrator.ts';
import { Outside } from './outside.ts';
import { isUrl, openShop } from './shop.ts';
import { showAnswers } from './show-answers.ts';
import { showBoard } from './show-board.ts';
import { showClerks } from './show-clerks.ts';
import { showHistory } from './show-history.ts';
import { showKill } from './show-kill.ts';
import { showOrder } from './show-order.ts';
import { showReplay } from './show-replay.ts';
import { showSales } from './show-sales.ts';
import { showSeats } from './show-seats.ts';
import { showSuccessor } from './show-successor.ts';
import { showUndoing } from './show-undoing.ts';

async function run(place: string): Promise<void> {
  title('eventsrc: a ticket shop that remembers everything');
  const where = isUrl(place) ? 'A schema in your database.' : 'One file on disk, no server.';
  console.log(faint(`${where} Everything below really happens, while you read.`));

  await using engine = await openShop(place);
  await showOrder(engine);
  await showAnswers(engine);
  await showClerks(engine, place);
  await showSeats(engine);
  await showBoard(engine);
  await showHistory(engine);
  await showReplay(engine);
  await showKill(engine, place);
  const outside = new Outside(join(folder, 'outside.ndjson'));
  await showSales(place, outside);
  await showUndoing(place, outside);
  await showSuccessor(engine, place, outside);

  console.log(
    '\nThe code is in the repository, in examples/order-fulfilment: order.ts first, then fulfilment.ts. Next:',
  );
  if (kept !== undefined)
    line(
      `eventsrc read --store '${isUrl(kept) ? kept : `sqlite:${kept}`}'      what has just happened, event by event`,
    );
  line('eventsrc init my-app      a config, a first aggregate and its test');
}

const [kept] = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), 'eventsrc-demo-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
process.once('SIGINT', () => process.exit(130));
// Whoever was reading (`| head`) has seen enough.
process.stdout.on('error', () => process.exit());
await run(kept ?? join(folder, 'shop.db'));
