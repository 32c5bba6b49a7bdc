/**
 * The stores that we compare with. They live in bench/peers, a project of its own: their native addon is downloaded
 * or compiled when the bench first runs, never by the repository's own `npm install`.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, join } from 'node:path';
import type { Echarts } from './chart.ts';
import type { ActSqlite } from './contestants/act-sqlite.ts';
import type { Emmett } from './contestants/emmett-commands.ts';
import type { EmmettPostgres } from './postgres/emmett.ts';
import type { EmmettSqlite } from './contestants/emmett-sqlite.ts';

const folder = join(import.meta.dirname, 'peers');
const installTimeoutMs = 300_000;

/** The modules of the peers. */
export interface Peers {
  readonly emmett: Emmett;
  readonly emmettSqlite: EmmettSqlite;
  readonly emmettPostgres: EmmettPostgres;
  readonly actSqlite: ActSqlite;
  /** No peer, but needed with them alone. */
  readonly echarts: Echarts;
}

/** What became of them. */
export type LoadedPeers =
  | ({ readonly kind: 'ready' } & Peers)
  | { readonly kind: 'unavailable'; readonly reason: string }
  | { readonly kind: 'not asked for' };

/** Installs what is missing; where that is impossible, says why. */
export async function loadPeers(say: (line: string) => void): Promise<LoadedPeers> {
  try {
    if (!isInstalled()) {
      say('Installing the peers (sqlite3 is compiled where no binary can be downloaded: a minute or two)…');
      await install();
    }
    // The one place where the peers get their types: our interfaces are a part of what their declarations say.
    const loadFromPeers = createRequire(join(folder, 'package.json'));
    return {
      kind: 'ready',
      emmett: loadFromPeers('@event-driven-io/emmett') as Emmett,
      emmettSqlite: loadFromPeers('@event-driven-io/emmett-sqlite') as EmmettSqlite,
      emmettPostgres: loadFromPeers('@event-driven-io/emmett-postgresql') as EmmettPostgres,
      actSqlite: (await inPeers(() => import(loadFromPeers.resolve('@rotorsoft/act-sqlite')))) as ActSqlite,
      echarts: loadFromPeers('echarts') as Echarts,
    };
  } catch (error) {
    return { kind: 'unavailable', reason: error instanceof Error ? error.message : String(error) };
  }
}

/** Act reads the package.json of the folder that it is started in, and is particular about it. */
async function inPeers<Result>(work: () => Promise<Result>): Promise<Result> {
  const before = process.cwd();
  process.chdir(folder);
  try {
    return await work();
  } finally {
    process.chdir(before);
  }
}

function isInstalled(): boolean {
  const installed = join(folder, 'node_modules/.package-lock.json');
  return existsSync(installed) && statSync(installed).mtimeMs >= statSync(join(folder, 'package.json')).mtimeMs;
}

async function install(): Promise<void> {
  const flags = [
    '--no-save',
    '--ignore-scripts=false',
    '--no-audit',
    '--no-fund',
    '--fetch-retries=1',
    '--loglevel=error',
  ];
  const child = spawn('npm', ['install', ...flags], {
    cwd: folder,
    env: npmEnvironment(),
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: installTimeoutMs,
  });
  const chunks: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
  if (code === 0) return;
  const cause = causeIn(Buffer.concat(chunks).toString());
  throw new Error(`npm install in bench/peers ended with ${code ?? signal}${cause === undefined ? '' : `: ${cause}`}`);
}

/** The first error that has a name, for example `Error: not found: make`: what npm says before it are codes and paths. */
function causeIn(output: string): string | undefined {
  return /\w*Error: .*/.exec(output)?.[0];
}

/** Without what the npm above us (`npm run bench`) put there: its settings and the Node of this repository. */
function npmEnvironment(): NodeJS.ProcessEnv {
  const entries = Object.entries(process.env).filter(
    ([name]) => !/^npm_(config_(local_)?prefix|package_|lifecycle_)/.test(name),
  );
  const own = join(folder, '../../node_modules/.bin');
  const path = (process.env['PATH'] ?? '').split(delimiter).filter((entry) => entry !== own);
  return { ...Object.fromEntries(entries), PATH: path.join(delimiter) };
}
