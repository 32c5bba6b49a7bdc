/** What `eventsrc bench` runs: all but the peers. */
import { startBench } from './start.ts';

await startBench();
