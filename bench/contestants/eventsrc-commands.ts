import { openEngine } from 'eventsrc';
import { warmUp } from './contestant.ts';
import type { Contestant } from './contestant.ts';
import { drive } from './drive.ts';
import { backendAt } from './eventsrc.ts';
import { countTurns, itemOf, order, orderOf } from './orders.ts';

const inFlight = 256;

/** The whole pipeline: each command has a key of its own, so each has a receipt. */
export const eventsrcCommands: Contestant = {
  name: 'eventsrc',
  async run(file, budget) {
    await using engine = await openEngine({ store: backendAt(file), aggregates: [order] });
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
  },
};
