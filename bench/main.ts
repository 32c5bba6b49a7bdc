import { loadPeers } from './peers.ts';
import { startBench } from './start.ts';

await startBench(loadPeers);
