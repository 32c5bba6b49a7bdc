/** A project whose events have changed since the first of them was appended. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openLog } from 'eventsrc';
import type { Backend } from 'eventsrc';
import { z } from 'zod';
import { versions } from 'eventsrc';
import { emptyProject } from './views-project.ts';

/** What all configs have in common. */
const domain = `
import { defineAggregate, versions } from 'eventsrc';
import { z } from 'zod';

export { versions, z };
const item = z.object({ name: z.string(), price: z.number() });
export const placed = z.object({ customer: z.string(), items: z.array(item) });
export const placedNow = versions(placed).next(
  z.object({
    customer: z.string().min(1),
    items: z.array(item.extend({ cents: z.int() })),
    channel: z.enum(['web', 'shop']),
  }),
  {
    up: ({ customer, items }) => {
      if (customer === 'nobody') throw new Error('nobody placed it');
      return { customer, channel: 'web', items: items.map((one) => ({ ...one, cents: Math.round(one.price * 100) })) };
    },
    down: ({ customer, items }) => ({ customer, items: items.map(({ name, price }) => ({ name, price })) }),
  },
);
export const note = z.object({ text: z.string() });
export const renamed = z.object({ to: z.string() });

export function aggregate(name, events, retired = {}) {
  const types = Object.keys(events);
  return defineAggregate({
    name,
    events,
    retired,
    initialState: 0,
    evolve: Object.fromEntries(types.map((type) => [type, (count) => count + 1])),
    commands: {
      record: { input: z.object({ type: z.enum(types), data: z.any() }), decide: (_, event) => [event] },
    },
  });
}
`;

const configs = {
  /** The first code. */
  'old.mjs': `
import { aggregate, note, placed, renamed } from './domain.mjs';
const order = aggregate('order', { Placed: placed, Noted: note, Renamed: renamed });
export ${'default'} { store: 'sqlite:events.db', aggregates: [order, aggregate('hall', { Opened: note })] };
`,
  /** Today's: two versions of one type, one that is retired, one that is new. */
  'eventsrc.config.mjs': `
import { aggregate, note, placedNow, renamed } from './domain.mjs';
const noted = (text) => ({ type: 'Noted', data: { text } });
const retired = {
  Renamed: { schema: renamed, as: ({ to }) => [noted('before'), noted(to === '' ? 7 : to)] },
};
const order = aggregate('order', { Placed: placedNow, Noted: note, Paid: note }, retired);
export ${'default'} { store: 'sqlite:events.db', aggregates: [order, aggregate('cart', { Noted: note })] };
`,
  /** One that forgot a type, changed one in place, and made another less compatible than it demands. */
  'wrong.mjs': `
import { aggregate, placed, versions, z } from './domain.mjs';
const total = versions(placed).next(placed.extend({ total: z.number() }), { up: (data) => ({ ...data, total: 0 }) });
const order = aggregate('order', { Placed: total, Noted: z.object({ text: z.number() }) });
export ${'default'} { store: 'sqlite:events.db', aggregates: [order], schemas: { compatibilityOf: { Placed: 'BACKWARD' } } };
`,
};

/** The first code at work: what it is given, as commands. */
const application = `
import { openEngine } from 'eventsrc';
import { postgres } from 'eventsrc/postgres';
import { sqlite } from 'eventsrc/sqlite';
import config from './old.mjs';

const [store = 'events.db'] = process.argv.slice(2);
const backend = store.startsWith('postgres') ? postgres(store) : sqlite(store);
const [order, hall] = config.aggregates;
await using engine = await openEngine({ ...config, store: backend });
for (const [id, type, data] of JSON.parse(process.env.EVENTS)) await engine.execute(order.commands.record(id, { type, data }));
await engine.execute(hall.commands.record('1', { type: 'Opened', data: { text: 'in time' } }));
`;

/** @returns its folder. */
export async function schemaProject(): Promise<string> {
  const folder = await emptyProject();
  writeFileSync(join(folder, 'domain.mjs'), domain);
  for (const [name, text] of Object.entries(configs)) writeFileSync(join(folder, name), text);
  writeFileSync(join(folder, 'old-application.mjs'), application);
  return folder;
}

type OldEvent = readonly [id: string, type: string, data: object];

export const pen = { name: 'pen', price: 1.5 };

/** All that today's code can read: positions 1 to 3. */
export const soundEvents: readonly OldEvent[] = [
  ['1', 'Placed', { customer: 'Ada', items: [pen] }],
  ['1', 'Noted', { text: 'in a hurry' }],
  ['1', 'Renamed', { to: 'Ada L.' }],
];

/** Has the first code append events, and one more in `hall-1`. @param store Default: the file of the project. */
export function appendByOldCode(cwd: string, events: readonly OldEvent[], store = 'events.db'): void {
  const env = { ...process.env, EVENTS: JSON.stringify(events) };
  execFileSync(process.execPath, ['old-application.mjs', store], { cwd, env });
}

/** Appends what no code of this project would: of a type that nobody declares, and of a version that is yet to come. */
export async function appendByOthers(store: Backend): Promise<void> {
  const loose = versions(z.any(), { first: 1 });
  await using log = await openLog({
    store,
    events: { Placed: versions(z.any(), { first: 3 }), Vanished: loose, Noted: loose },
  });
  const stream = 'order-9';
  await log.append([{ stream, events: [{ type: 'Placed', data: { whom: 'Zoe' } }] }]);
  const events = [
    { type: 'Vanished' as const, data: {} },
    { type: 'Noted' as const, data: { text: ['a', 'b'] } },
    { type: '$deleted' as const },
  ];
  await log.append([{ stream, events }]);
}
