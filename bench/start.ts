import { parseOptions, usage } from './options.ts';
import type { Options } from './options.ts';
import type { loadPeers } from './peers.ts';
import { runBench } from './run-bench.ts';

/** Runs what was typed. @param load installs the peers: not where eventsrc itself is installed. */
export async function startBench(load?: typeof loadPeers): Promise<void> {
  const options = parse();
  if (options?.help === true) console.log(usage);
  else if (options !== undefined) await runBench(options, load).catch((error: unknown) => tell(error, 1));
}

function parse(): Options | undefined {
  try {
    return parseOptions(process.argv.slice(2));
  } catch (error) {
    tell(error, 2);
    return undefined;
  }
}

function tell(error: unknown, exitCode: number): void {
  console.error(`error: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = exitCode;
}
