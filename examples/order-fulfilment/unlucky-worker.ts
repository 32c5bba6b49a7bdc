/** A process of its own that works on sales, and dies as soon as the payment service has charged: nobody here has heard of it. */
import { activitiesIn } from './activities.ts';
import { Outside } from './outside.ts';
import { openOffice } from './shop.ts';

const [place = '', outsideFile = ''] = process.argv.slice(2);
const die = () => void process.kill(process.pid, 'SIGKILL');
await openOffice(place, activitiesIn(new Outside(outsideFile), { charged: die }));
