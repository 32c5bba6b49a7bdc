import { execFileSync, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, existsSync, globSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import pg from 'pg';
import { freePort, nobody } from './postgres-server.ts';

/** Of Debian: the package, and those that it needs and that are not on every machine. */
const packages = ['pgbouncer', 'libevent-2.1-7', 'libc-ares2'];
const unpacked = join(import.meta.dirname, '../../.tmp/pgbouncer');

/** PgBouncer's program: the machine's, else one from Debian's archive, unpacked but not installed. */
function findProgram(): { readonly program: string; readonly libraries: string } | undefined {
  const installed = ['/usr/sbin/pgbouncer', '/usr/bin/pgbouncer'].find((path) => existsSync(path));
  if (installed !== undefined) return { program: installed, libraries: '' };
  const program = join(unpacked, 'usr/sbin/pgbouncer');
  try {
    if (!existsSync(program)) unpack();
    return { program, libraries: globSync(join(unpacked, 'usr/lib/*-linux-gnu')).join(':') };
  } catch {
    return undefined;
  }
}

function unpack(): void {
  const folder = `${unpacked}-downloads`;
  mkdirSync(folder, { recursive: true });
  const download = () => execFileSync('apt-get', ['download', ...packages], { cwd: folder, stdio: 'ignore' });
  try {
    download();
  } catch {
    execFileSync('apt-get', ['update'], { stdio: 'ignore' });
    download();
  }
  for (const file of globSync(join(folder, '*.deb'))) execFileSync('dpkg', ['-x', file, unpacked]);
}

const found = findProgram();
export const hasPgbouncer = found !== undefined;

/** A pooler in transaction mode: a client has a connection to the server only as long as a transaction lasts. */
export class Pgbouncer {
  readonly port: number;
  readonly #folder: string;
  readonly #process: ChildProcess;

  private constructor(port: number, folder: string, child: ChildProcess) {
    this.port = port;
    this.#folder = folder;
    this.#process = child;
  }

  static async before(serverPort: number): Promise<Pgbouncer> {
    if (found === undefined) throw new Error('There is no PgBouncer');
    const folder = mkdtempSync(join(tmpdir(), 'eventsrc-pgbouncer-'));
    const port = await freePort();
    const settings = join(folder, 'pgbouncer.ini');
    const users = join(folder, 'users.txt');
    writeFileSync(users, '"postgres" ""\n');
    writeFileSync(
      settings,
      `[databases]\n* = host=127.0.0.1 port=${serverPort}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = ${port}\n` +
        `unix_socket_dir =\nauth_type = trust\nauth_file = ${users}\npool_mode = transaction\ndefault_pool_size = 4\n`,
    );
    chmodSync(folder, 0o755);
    if (nobody !== undefined) for (const path of [folder, settings, users]) chownSync(path, nobody.uid, nobody.gid);
    // A copy in the folder: whoever runs it might not reach the original.
    execFileSync('cp', [found.program, ...globSync(found.libraries.split(':').map((path) => `${path}/*.so*`)), folder]);
    const child = spawn(join(folder, 'pgbouncer'), [settings], {
      ...nobody,
      stdio: 'ignore',
      env: { ...process.env, LD_LIBRARY_PATH: folder },
    });
    const pooler = new Pgbouncer(port, folder, child);
    process.once('exit', () => child.kill('SIGKILL'));
    while (!(await pooler.#answers())) {
      if (child.exitCode !== null) throw new Error('pgbouncer ended');
      await setTimeout(20);
    }
    return pooler;
  }

  get url(): string {
    return `postgres://postgres@127.0.0.1:${this.port}/postgres`;
  }

  async #answers(): Promise<boolean> {
    const client = new pg.Client(this.url);
    client.on('error', () => {});
    return client.connect().then(
      () => client.end().then(() => true),
      () => false,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#process, 'exit');
    this.#process.kill('SIGKILL');
    await ended;
    rmSync(this.#folder, { recursive: true });
  }
}
