import { chapter, line } from '../narrator.ts';
import { activitiesIn } from './activities.ts';
import type { Outside } from './outside.ts';
import { sell, tellSale } from './sales.ts';
import { openOffice } from './shop.ts';

/** What undoes may fail, too: then it is tried again, and in the end a person is asked. */
export async function showUndoing(place: string, outside: Outside): Promise<void> {
  chapter(
    'Undone, or somebody is told',
    'What undoes a step can fail as well. It is tried again, with growing pauses; if nothing helps, the sale is stuck: it is\nlisted, an alarm goes off, and a person decides. What they decide is a step like any other, under their name.',
  );
  const alarms: string[] = [];
  // Without a hook it would be written by console.warn.
  await using office = await openOffice(place, activitiesIn(outside), {
    saga: (notice) => void (notice.kind === 'stuck' && alarms.push(`${notice.saga} ${notice.instance} is stuck`)),
  });
  outside.failNext(3, 'refunded');
  await tellSale(
    office,
    'Jan lives there, too, and the payment service has an outage',
    await sell(office, '2004', 'Jan', { town: 'Atlantis' }),
  );
  const kim = await sell(office, '2005', 'Kim', { town: 'Atlantis', card: 'closed' });
  await tellSale(office, 'Kim’s account was closed after the charge', kim);
  await office.settled();
  const listed = (await office.sagas.list({ status: 'stuck' })).map(({ id, stuck }) => `${id}, ${stuck?.failure.code}`);
  line(`The alarm: ${alarms.join()}. The list of what is stuck: ${listed.join()}.`);
  const { streamVersion } = await kim.state();
  await kim.resolve({ refunded: 30 }, { actor: 'Ann', reason: 'paid back in cash' });
  await tellSale(office, 'Ann pays Kim back in cash, and says so', kim, streamVersion);
}
