import { parseOptions, usage } from './options.ts';
import { loadPeers } from './peers.ts';
import { runBench } from './run-bench.ts';

try {
  const options = parseOptions(process.argv.slice(2));
  if (options.help) console.log(usage);
  else await runBench(options, loadPeers);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
