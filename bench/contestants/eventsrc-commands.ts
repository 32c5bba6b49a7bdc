import { openEngine } from 'eventsrc';
import type { Engine } from 'eventsrc';
import { warmUp } from './contestant.ts';
import type { Budget, Contestant, Measurement } from './contestant.ts';
import { drive } from './drive.ts';
import { backendAt } from './eventsrc.ts';
import { countTurns, itemOf, order, orderOf, orders } from './orders.ts';

const inFlight = 256;

/** The whole pipeline: each command has a key of its own, so each has a receipt. */
export const eventsrcCommands: Contestant = {
  name: 'eventsrc',
  async run(file, budget) {
    await using engine = await openEngine({ store: backendAt(file), aggregates: [order] });
    return await command(engine, budget);
  },
};

/** The same, of orders that have 0 to 99 events already: the share of them that comes to a hundred is what it is for ever. */
export function agedCommands(snapshots: boolean): Contestant {
  return {
    name: snapshots ? 'eventsrc' : 'eventsrc, without snapshots',
    async run(file, budget) {
      await using engine = await openEngine({
        store: backendAt(file),
        aggregates: [order],
        snapshots,
        onWarning: () => {},
      });
      for (let [first, written] = [0, 0]; first < orders && written < budget.eventsMax; first += 10) {
        const writes = Array.from({ length: 10 }, (_, index) => ({
          stream: order.stream(String(first + index)),
          events: Array.from({ length: (first + index) % 100 }, (__, item) => ({
            type: 'ItemAdded',
            data: itemOf(item),
          })),
        }));
        await engine.log.append(writes.filter(({ events }) => events.length > 0));
        written += writes.reduce((sum, { events }) => sum + events.length, 0);
      }
      return await command(engine, budget);
    },
  };
}

async function command(engine: Engine, budget: Budget): Promise<Measurement> {
  const nextTurn = countTurns();
  let commands = 0;
  const execute = async (caller: number) => {
    const id = String(orderOf(caller, inFlight, nextTurn(caller)));
    const idempotencyKey = `command-${commands}`;
    const outcome = await engine.execute(order.commands.addItem(id, itemOf(commands++)), { idempotencyKey });
    if (outcome.kind !== 'accepted') throw new Error(`eventsrc did not accept a command: ${outcome.kind}`);
  };
  const load = { inFlight, eventsPerAppend: 1 };
  await drive(execute, load, warmUp(budget));
  return await drive(execute, load, budget);
}
