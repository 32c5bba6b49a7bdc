import { chapter } from '../narrator.ts';
import { activitiesIn } from './activities.ts';
import type { Outside } from './outside.ts';
import { sell, tellSale } from './sales.ts';
import { openOffice } from './shop.ts';

/** One operation over systems that share no transaction: done to its end, or undone. */
export async function showSales(place: string, outside: Outside): Promise<void> {
  chapter(
    'One sale, three systems',
    'A sale is an order here, a payment there and a parcel elsewhere, and no transaction spans them. A saga says what is to\nbe done next, and what undoes it. Each step is recorded; an order’s events together with it, in one append.',
  );
  await using office = await openOffice(place, activitiesIn(outside));
  await tellSale(office, 'Gus buys a ticket', await sell(office, '2001', 'Gus'));
  await tellSale(office, 'Hal’s card is declined', await sell(office, '2002', 'Hal', { card: 'stolen' }));
  await tellSale(office, 'Ida lives where no parcel goes', await sell(office, '2003', 'Ida', { town: 'Atlantis' }));
}
