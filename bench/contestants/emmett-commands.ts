import { warmUp } from './contestant.ts';
import type { Budget, Contestant, Measurement } from './contestant.ts';
import { drive } from './drive.ts';
import { openEmmett, silently } from './emmett-sqlite.ts';
import type { EmmettSqlite } from './emmett-sqlite.ts';
import { countTurns, initialState, itemOf, orderOf, withItem } from './orders.ts';
import type { Item, OrderState } from './orders.ts';

interface ItemAdded {
  readonly type: 'ItemAdded';
  readonly data: Item;
}

interface HandlerOptions {
  readonly evolve: (state: OrderState, event: ItemAdded) => OrderState;
  readonly initialState: () => OrderState;
}

/** What the bench uses of `@event-driven-io/emmett`. */
export interface Emmett {
  getInMemoryEventStore(): object;
  CommandHandler(
    options: HandlerOptions,
  ): (store: object, stream: string, handle: (state: OrderState) => ItemAdded) => Promise<unknown>;
}

/** Where it keeps its events: in a map, or in a file, with a connection for each command or one for all of them. */
type Keeping = 'memory' | 'sqlite' | 'sqlite, kept';

/** As its documentation shows: a handler reads the stream, decides, and appends. Nothing is validated, no key is kept. */
export function emmettCommands(emmett: Emmett, emmettSqlite: EmmettSqlite, keeping: Keeping): Contestant {
  // What happens at once in its SQLite store is not committed one by one: emmett-behaviour.ts shows why.
  const inFlight = keeping === 'memory' ? 256 : 1;
  return {
    name: keeping === 'memory' ? 'emmett in memory' : `emmett-${keeping}, one at a time`,
    async run(file, budget) {
      using open =
        keeping === 'memory'
          ? { store: emmett.getInMemoryEventStore(), [Symbol.dispose]: () => undefined }
          : openEmmett(emmettSqlite, keeping === 'sqlite' ? 'per_append' : 'kept', { fileName: file });
      return await silently(() => driveCommands(emmett, open.store, inFlight, budget));
    },
  };
}

/** Its handler on a store of whatever kind: warms up, and measures. */
export async function driveCommands(
  emmett: Emmett,
  store: object,
  inFlight: number,
  budget: Budget,
): Promise<Measurement> {
  const handle = emmett.CommandHandler({
    evolve: (state, { data }) => withItem(state, data),
    initialState: () => initialState,
  });
  const nextTurn = countTurns();
  let commands = 0;
  const execute = async (caller: number) => {
    const id = orderOf(caller, inFlight, nextTurn(caller));
    const data = itemOf(commands++);
    await handle(store, `order-${id}`, () => ({ type: 'ItemAdded', data }));
  };
  // The first makes the tables, where there are any.
  await execute(0);
  const load = { inFlight, eventsPerAppend: 1 };
  await drive(execute, load, warmUp(budget));
  return await drive(execute, load, budget);
}
