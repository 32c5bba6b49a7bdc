import { loadPeers } from './peers.ts';
import { startBench } from './start.ts';

if (process.argv.includes('--postgres')) await (await import('./postgres/start.ts')).startPostgresBench();
else await startBench(loadPeers);
