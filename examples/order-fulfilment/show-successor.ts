import { fork } from 'node:child_process';
import { once } from 'node:events';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Engine } from 'eventsrc';
import { bad, chapter, count, good, line } from '../narrator.ts';
import { activitiesIn } from './activities.ts';
import { fulfilment } from './fulfilment.ts';
import type { Outside } from './outside.ts';
import { sell, tellSale } from './sales.ts';
import { openOffice } from './shop.ts';

/** Beside this file, as source or as what was built of it. */
const workerFile = fileURLToPath(new URL(`unlucky-worker${extname(import.meta.url)}`, import.meta.url));

/** A worker dies between the charge and its record: its successor asks the payment service before it does anything. */
export async function showSuccessor(engine: Engine, place: string, outside: Outside): Promise<void> {
  chapter(
    'Killed in the middle of a charge',
    'The process that works on Leo’s sale is killed when the payment service has charged him, and before that is recorded.\nWithin a second another one takes over. It does not charge again: it asks what became of it.',
  );
  const { id } = await sell(engine, '2006', 'Leo');
  const [, signal] = (await once(fork(workerFile, [place, outside.file]), 'exit')) as [null, string];
  bad(`The worker was killed (${signal}): Leo is charged, and nobody here knows`);
  const asked = (wasCharged: boolean) =>
    good(`The next worker asks the payment service: ${wasCharged ? 'charged already' : 'not charged'}`);
  await using office = await openOffice(place, activitiesIn(outside, { asked }));
  const sale = office.saga(fulfilment, id);
  await tellSale(office, 'Leo’s sale', sale);
  const charges = outside.deeds.filter(({ kind, key }) => kind === 'charged' && key.startsWith(sale.stream));
  line(`The payment service’s book has ${count(charges.length, 'charge')} of Leo’s.`);
  if (charges.length !== 1) process.exitCode = 1;
}
