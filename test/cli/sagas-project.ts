/** A project with a saga: orders that are charged, packed and shipped, and what goes wrong with them. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openLog } from 'eventsrc';
import { sqlite } from 'eventsrc/sqlite';
import { expect, vi } from 'vitest';
import { done, printed } from './cli-process.ts';
import { emptyProject, startApplication } from './views-project.ts';

// The word is put in, or this file would seem to export it.
const config = `
import { existsSync } from 'node:fs';
import { activity, command, defineAggregate, defineConfig, defineSaga, reject, steps, waitFor } from 'eventsrc';
import { z } from 'zod';

const nothing = z.object({});

export const order = defineAggregate({
  name: 'order',
  events: { OrderPlaced: z.object({ total: z.number() }), OrderShipped: z.object({ parcel: z.string() }), OrderCancelled: nothing },
  initialState: { status: 'none' },
  evolve: {
    OrderPlaced: () => ({ status: 'placed' }),
    OrderShipped: () => ({ status: 'shipped' }),
    OrderCancelled: () => ({ status: 'cancelled' }),
  },
  commands: {
    place: { input: z.object({ total: z.number() }), decide: (_, data) => [{ type: 'OrderPlaced', data }] },
    ship: {
      input: z.object({ parcel: z.string() }),
      decide: (_, data) => (data.parcel === 'lost' ? reject('parcel_lost') : [{ type: 'OrderShipped', data }]),
    },
    cancel: { input: nothing, decide: () => [{ type: 'OrderCancelled', data: {} }] },
  },
});

export const charge = activity({
  name: 'charge',
  input: z.object({ order: z.string(), total: z.number() }),
  output: z.object({ payment: z.string() }),
  retry: { attempts: 3, backoffMs: 1 },
});

export const refund = activity({
  name: 'refund',
  input: z.object({ payment: z.string() }),
  output: nothing,
  retry: { attempts: 2, backoffMs: 1 },
});

export const fulfilment = defineSaga({
  name: 'fulfilment',
  events: { OrderPlaced: order.events.OrderPlaced, Packed: z.object({ parcel: z.string() }) },
  startsOn: 'OrderPlaced',
  startAt: 'first_event',
  id: ({ aggregateId, data }) => {
    if (data.total === 666 && !existsSync('mended')) throw new Error('unlucky');
    return aggregateId;
  },
  activities: { charge, refund },
  initialState: { order: '', total: 0, parcel: '' },
  evolve: (state, event) => {
    switch (event.type) {
      case 'OrderPlaced':
        return { ...state, order: event.aggregateId, total: event.data.total };
      case 'Packed':
        return { ...state, parcel: event.data.parcel };
      default:
        return state;
    }
  },
  next: steps([
    ({ order, total }) =>
      charge('charge', { order, total }, { compensate: (result) => refund('refund', { payment: result?.payment ?? order }) }),
    () => waitFor('packed', 'Packed', { timeoutMs: 3_600_000 }),
    (state) => command('ship', order.commands.ship(state.order, { parcel: state.parcel })),
  ], { result: ({ parcel }) => ({ parcel }) }),
});

export ${'default'} defineConfig({ store: 'sqlite:events.db', aggregates: [order], sagas: [fulfilment], schedules: true });
`;

/** How the activities are done. The bank refunds nothing while it is closed. */
const worker = `
import { appendFileSync, existsSync } from 'node:fs';
import { FinalError } from 'eventsrc';
import config, { charge, refund } from './eventsrc.config.mjs';

const activities = [
  charge.implement(({ order, total }, { attempt }) => {
    if (total === 13) throw new FinalError('card_declined');
    if (total === 7 && attempt === 1) throw new Error('the line is busy');
    appendFileSync('bank.txt', 'charged ' + order + '\\n');
    return { payment: 'payment-' + order };
  }),
  refund.implement(({ payment }) => {
    if (!existsSync('open')) throw new Error('the bank is closed');
    appendFileSync('bank.txt', 'refunded ' + payment + '\\n');
    return {};
  }),
];
export ${'default'} { ...config, activities };
`;

/** An application that works on them, and tells what happens. */
const applicationText = `
import { openEngine } from 'eventsrc';
import { sqlite } from 'eventsrc/sqlite';
import config from './worker.config.mjs';

const hooks = { saga: ({ kind, instance }) => console.log(kind + ' ' + instance), consumer: () => {} };
const engine = await openEngine({ ...config, store: sqlite(process.env.STORE ?? 'events.db'), hooks });
const alive = setInterval(() => {}, 1_000);
process.once('SIGTERM', async () => {
  await engine.close();
  clearInterval(alive);
});
`;

/** @returns its folder. */
export async function sagasProject(): Promise<string> {
  const folder = await emptyProject();
  writeFileSync(join(folder, 'eventsrc.config.mjs'), config);
  writeFileSync(join(folder, 'worker.config.mjs'), worker);
  writeFileSync(join(folder, 'application.mjs'), applicationText);
  return folder;
}

/** Orders that are placed, whether anybody works on them or not: by id, what is to be paid. */
export async function place(cwd: string, orders: Readonly<Record<string, number>>): Promise<void> {
  await using log = await openLog({ store: sqlite(join(cwd, 'events.db')) });
  for (const [id, total] of Object.entries(orders))
    await log.append([{ stream: `order-${id}`, events: [{ type: 'OrderPlaced', data: { total } }] }]);
}

/** Some that have been worked on for a while: o-1 and o-3 wait to be packed, o-2 is stuck, o-4 is done. Nobody works on them any more. */
export async function withOrders(cwd: string): Promise<void> {
  await place(cwd, { 'o-1': 20, 'o-2': 13 });
  const application = startApplication(cwd);
  await application.told('stuck o-2');
  await place(cwd, { 'o-3': 7, 'o-4': 50 });
  await application.told('started o-4');
  await done(['saga', 'signal', 'fulfilment', 'o-4', 'Packed', '{"parcel":"p-4"}', '--actor', 'Ada'], { cwd });
  await application.told('ended o-4');
  await vi.waitFor(async () => {
    const found = await printed<{ id?: string; dueAt?: number }>(['sagas', '--status', 'running'], { cwd });
    expect(found.filter(({ dueAt }) => dueAt !== undefined)).toHaveLength(2);
    expect(found.at(0)).not.toMatchObject({ id: 'o-4' });
  }, 20_000);
  await application.stop();
}
