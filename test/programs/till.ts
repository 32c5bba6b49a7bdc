/**
 * A till of one deployment, CODE `old` or `new`, on the store at FILE: takes COUNT deposits, works on the view beside it, and prints what
 * it took of each account, in cents, and how often it was refused because of newer events. `new` waits for the view, and prints it.
 */
import { defineAggregate, defineProjection, hasCode, openEngine, versions } from 'eventsrc';
import type { Command } from 'eventsrc';
import { sqlite } from 'eventsrc/sqlite';
import { z } from 'zod';

const [file = '', code = '', count = '0'] = process.argv.slice(2);
const euros = z.object({ amount: z.number() });
const cents = z.object({ cents: z.int() });
const view = { name: 'balances', key: (event: { readonly aggregateId: string }) => event.aggregateId } as const;
const initial = { cents: 0 };

function oldTill() {
  const account = defineAggregate({
    name: 'account',
    events: { Deposited: euros },
    initialState: 0,
    evolve: { Deposited: (sum, event) => sum + Math.round(event.data.amount * 100) },
    commands: {
      deposit: { input: cents, decide: (_, data) => [{ type: 'Deposited', data: { amount: data.cents / 100 } }] },
    },
  });
  const balances = defineProjection({
    ...view,
    from: [account],
    initial,
    on: { Deposited: (document, { data }) => ({ cents: document.cents + Math.round(data.amount * 100) }) },
  });
  return { account, balances };
}

function newTill() {
  const account = defineAggregate({
    name: 'account',
    events: { Deposited: versions(euros).next(cents, { up: (data) => ({ cents: Math.round(data.amount * 100) }) }) },
    initialState: 0,
    evolve: { Deposited: (sum, event) => sum + event.data.cents },
    commands: { deposit: { input: cents, decide: (_, data) => [{ type: 'Deposited', data }] } },
  });
  const balances = defineProjection({
    ...view,
    from: [account],
    initial,
    on: { Deposited: (document, { data }) => ({ cents: document.cents + data.cents }) },
  });
  return { account, balances };
}

const { account, balances } = code === 'old' ? oldTill() : newTill();
const hooks = { consumer: () => {} };
const engine = await openEngine({
  store: sqlite(file),
  aggregates: [account],
  projections: [balances],
  leaseMs: 500,
  commandTimeoutMs: 60_000,
  hooks,
});
console.log('open');
const taken: Record<string, number> = {};
let refused = 0;
const isDone = (done: number) => done >= Number(count) && (code !== 'old' || refused > 0);
// An old one goes on until it has met newer events.
for (let done = 0; !isDone(done); done += 1) {
  // Half of them into accounts that nobody else has.
  const id = done % 2 === 0 ? `${code}-${done % 10}` : `shared-${done % 20}`;
  const amount = 1 + (done % 100);
  const command: Command = account.commands.deposit(id, { cents: amount });
  try {
    const { kind } = await engine.execute(command);
    if (kind === 'accepted') taken[id] = (taken[id] ?? 0) + amount;
  } catch (error) {
    if (!hasCode(error, 'event_newer')) throw error;
    refused += 1;
  }
}
console.log(JSON.stringify({ taken, refused }));
if (code === 'new') {
  await engine.settled();
  const documents = await engine.view(balances).findMany({ limit: 1_000 });
  console.log(JSON.stringify(documents.reduce((sum, document) => sum + document.cents, 0)));
  await engine.close();
}
