import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { parseArgs } from 'node:util';
import { describeEnvironment } from '../environment.ts';
import { measureRow } from '../measure-row.ts';
import type { Pace, RowResult } from '../measure-row.ts';
import { loadPeers } from '../peers.ts';
import type { LoadedPeers } from '../peers.ts';
import { measureLag } from '../read/lag.ts';
import type { LagResult } from '../read/lag.ts';
import { formatEnvironment, formatLag, formatRow } from '../report.ts';
import { measureGrowth } from './growth.ts';
import type { GrowthResult } from './growth.ts';
import { rows } from './rows.ts';
import { inNewDatabase, startServer } from './server.ts';
import { measureTail } from './tail.ts';
import type { TailResult } from './tail.ts';

const fullPace: Pace = { rounds: 3, share: 1, secondsMax: 20, peerSecondsMax: 4 };
const quickPace: Pace = { rounds: 1, share: 0.02, secondsMax: 2, peerSecondsMax: 0.3 };

/** Runs `npm run bench -- --postgres`: the store on PostgreSQL, on a server that is started for it. */
export async function startPostgresBench(): Promise<void> {
  const { values } = parseArgs({
    options: {
      postgres: { type: 'boolean' },
      only: { type: 'string' },
      quick: { type: 'boolean', default: false },
      json: { type: 'string' },
    },
  });
  const { quick, json, only } = values;
  const ids = only?.split(',') ?? [
    ...rows.map(({ id }) => id),
    'postgres.projection.lag',
    'postgres.tail',
    'postgres.growth',
  ];
  const peers: LoadedPeers = quick ? { kind: 'not asked for' } : await loadPeers(console.error);
  await using server = await startServer();
  const inNewPlace = inNewDatabase(server);
  const [{ version } = {}] = await server.query(`select current_setting('server_version') as version`);
  const environment = await describeEnvironment(tmpdir(), [`PostgreSQL ${String(version)}, shared_buffers 512 MB`]);
  console.log(`${formatEnvironment(environment)}\n`);
  const results: (RowResult | LagResult | TailResult | GrowthResult)[] = [];
  for (const row of rows.filter(({ id }) => ids.includes(id))) {
    const result = await measureRow(row, peers, quick ? quickPace : fullPace, inNewPlace);
    results.push(result);
    console.log(`${formatRow(result)}\n`);
  }
  if (ids.includes('postgres.projection.lag')) {
    const pace = quick ? { rounds: 1, secondsPerRound: 0.2 } : { rounds: 3, secondsPerRound: 4 };
    const lag = await measureLag('postgres.projection.lag', pace, inNewPlace);
    results.push(lag);
    console.log(`${formatLag(lag)}\n`);
  }
  if (ids.includes('postgres.tail')) {
    const tail = await inNewPlace((url) => measureTail(url, quick ? 20 : 1_000));
    results.push(tail);
    console.log(`${tail.id}: ${tail.what}\n  p50 ${tail.p50} ms  p99 ${tail.p99} ms  max ${tail.max} ms`);
  }
  if (ids.includes('postgres.growth')) {
    const sizes = quick ? { small: 50_000, large: 100_000 } : { small: 100_000, large: 5_000_000 };
    for (const growth of await measureGrowth(inNewPlace, sizes)) {
      const { id, what, unit, value, against } = growth;
      results.push(growth);
      console.log(
        `${id}: ${what}\n  ${value.toFixed(2)} ${unit}  raw ${against[0].value.toFixed(2)}  ${against[0].ratio.toFixed(2)}x`,
      );
    }
  }
  if (json !== undefined) await writeFile(json, `${JSON.stringify({ environment, rows: results }, undefined, 2)}\n`);
}
