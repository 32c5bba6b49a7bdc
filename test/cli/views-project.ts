/** A project whose views go wrong as the environment says. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openLog } from 'eventsrc';
import type { EventSchemas, NewEvent } from 'eventsrc';
import { sqlite } from 'eventsrc/sqlite';
import { temporaryFolder } from '../support/temporary.ts';

const root = join(import.meta.dirname, '../..');

// The word is put in, or this file would seem to export it.
const config = `
import { appendFileSync } from 'node:fs';
import { defineConfig, defineProjection, defineReactor, defineTables } from 'eventsrc';
import { account } from './account.ts';

const { BROKEN, FACTOR = '1', SLOW_MS = '0' } = process.env;
const pause = new Int32Array(new SharedArrayBuffer(4));

function amountOf(amount) {
  if (BROKEN === String(amount)) throw new Error('unlucky');
  Atomics.wait(pause, 0, 0, Number(SLOW_MS));
  // What the first few events are folded into must stay the same for one version.
  return amount > 100 ? Number(FACTOR) * amount : amount;
}

const sums = {
  from: [account],
  key: (event) => event.aggregateId,
  initial: { owner: '', sum: 0, last: { amount: 0 } },
  indexes: ['sum'],
  on: {
    AccountOpened: (document, { data }) => ({ ...document, owner: data.owner }),
    MoneyDeposited: ({ owner, sum }, { data }) => ({ owner, sum: sum + amountOf(data.amount), last: { amount: data.amount } }),
    MoneyWithdrawn: 'ignore',
  },
};

export ${'default'} defineConfig({
  store: 'sqlite:events.db',
  aggregates: [account],
  projections: [
    defineProjection({ name: 'sums', ...sums, sla: { maxLagMs: 60_000 } }),
    defineProjection({ name: 'patient', ...sums, onFailure: 'park', attempts: 1 }),
    defineProjection({ name: 'present', ...sums, mode: 'live' }),
  ],
  tables: [
    defineTables({
      name: 'ledger',
      from: [account],
      create: ['create table ledger (position integer primary key, amount real)'],
      on: {
        AccountOpened: 'ignore',
        MoneyDeposited: ({ position, data }) => [{ sql: 'insert into ledger values (?, ?)', params: [position, data.amount] }],
        MoneyWithdrawn: 'ignore',
      },
    }),
  ],
  reactors: [
    defineReactor({
      name: 'mails',
      from: [account],
      startAt: 'first_event',
      on: {
        AccountOpened: ({ data }) => appendFileSync('mails.txt', data.owner + '\\n'),
        MoneyDeposited: 'ignore',
        MoneyWithdrawn: 'ignore',
      },
    }),
  ],
});
`;

/** An application that works on all of them, and tells what happens. */
const application = `
import { openEngine } from 'eventsrc';
import { sqlite } from 'eventsrc/sqlite';
import config from './eventsrc.config.mjs';

const hooks = { consumer: ({ kind, consumer }) => console.log(kind + ' ' + consumer) };
const engine = await openEngine({ ...config, store: sqlite('events.db'), hooks });
const alive = setInterval(() => {}, 1_000);
process.once('SIGTERM', async () => {
  await engine.close();
  clearInterval(alive);
});
`;

/** Where a config finds `eventsrc`, `zod` and the account of the template. @returns its folder. */
export async function emptyProject(): Promise<string> {
  const folder = await temporaryFolder();
  mkdirSync(join(folder, 'node_modules'));
  symlinkSync(root, join(folder, 'node_modules/eventsrc'));
  symlinkSync(join(root, 'node_modules/zod'), join(folder, 'node_modules/zod'));
  copyFileSync(join(root, 'template/account.ts'), join(folder, 'account.ts'));
  return folder;
}

/** @returns its folder. */
export async function viewsProject(): Promise<string> {
  const folder = await emptyProject();
  writeFileSync(join(folder, 'eventsrc.config.mjs'), config);
  writeFileSync(join(folder, 'application.mjs'), application);
  return folder;
}

/** Two accounts, three deposits: positions 1 to 5. */
export async function withAccounts(cwd: string): Promise<void> {
  await using log = await openLog({ store: sqlite(join(cwd, 'events.db')) });
  await log.append([
    { stream: 'account-1', events: [opened('Ada')] },
    { stream: 'account-2', events: [opened('Bob')] },
  ]);
  await log.append([
    { stream: 'account-1', events: [deposited(50)] },
    { stream: 'account-2', events: [deposited(13), deposited(7)] },
  ]);
}

/** Of account-1, behind its opening. */
export async function withDeposits(cwd: string, amounts: readonly number[]): Promise<void> {
  await using log = await openLog({ store: sqlite(join(cwd, 'events.db')) });
  await log.append([{ stream: 'account-1', events: [opened('Ada'), ...amounts.map(deposited)] }]);
}

function opened(owner: string): NewEvent<EventSchemas> {
  return { type: 'AccountOpened', data: { owner } };
}

function deposited(amount: number): NewEvent<EventSchemas> {
  return { type: 'MoneyDeposited', data: { amount } };
}

export interface Application {
  readonly process: ChildProcess;
  /** Resolves once it has told this. */
  told(line: string): Promise<void>;
  stop(): Promise<void>;
}

/** Starts an application that works on everything. */
export function startApplication(cwd: string, env: NodeJS.ProcessEnv = {}): Application {
  const child = spawn(process.execPath, ['application.mjs'], {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  child.stdout.on('data', (chunk) => (text += String(chunk)));
  return {
    process: child,
    told: async (line) => {
      while (!text.split('\n').includes(line)) await once(child.stdout, 'data');
    },
    stop: async () => {
      const ended = once(child, 'exit');
      child.kill('SIGCONT');
      child.kill('SIGTERM');
      await ended;
    },
  };
}
