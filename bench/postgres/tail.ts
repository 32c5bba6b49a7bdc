/** How long it takes from the answer to an append until a subscriber in another process has read its event. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { openBenchLog } from '../contestants/eventsrc.ts';
import { quantile } from '../statistics.ts';

const program = fileURLToPath(new URL('tail-process.ts', import.meta.url));

export interface TailResult {
  readonly id: 'postgres.tail';
  readonly what: string;
  readonly unit: 'ms';
  readonly value: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
  readonly against: readonly [];
}

export async function measureTail(url: string, appends: number): Promise<TailResult> {
  await using log = await openBenchLog(url);
  const child = fork(program, [url, String(appends)]);
  await once(child, 'message');
  const report = once(child, 'message') as Promise<[readonly number[]]>;
  const answered: number[] = [];
  for (let index = 0; index < appends; index++) {
    await log.append([{ stream: 'order-1', events: [{ type: 'Happened', data: { index } }] }]);
    answered.push(Date.now());
    await setTimeout(Math.random() * 20);
  }
  const [seen] = await report;
  child.kill();
  // The subscriber may be told before the one who appended: to the millisecond, then, that took no time.
  const latencies = seen.map((at, index) => Math.max(0, at - (answered[index] as number))).sort((a, b) => a - b);
  const [p50, p99, max] = [quantile(latencies, 0.5), quantile(latencies, 0.99), quantile(latencies, 1)];
  const what = `from an append's answer to its event in another process, p99 of ${appends}`;
  return { id: 'postgres.tail', what, unit: 'ms', value: p99, p50, p99, max, against: [] };
}
