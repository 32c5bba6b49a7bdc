import { activity, command, defineAggregate, defineSaga, openEngine, steps } from 'eventsrc';
import type { Engine } from 'eventsrc';
import { z } from 'zod';
import { warmUp } from './contestant.ts';
import type { Budget, Contestant, Measurement } from './contestant.ts';
import { drive } from './drive.ts';
import { backendAt } from './eventsrc.ts';

const inFlight = 256;
const nothing = z.object({});
/** Sagas that are told to so many depots in turn, as commands in command.c256 are to orders. */
const depots = 1_000;
const depot = defineAggregate({
  name: 'depot',
  events: { ParcelAnnounced: z.object({ total: z.number() }), ParcelSent: nothing },
  initialState: { announced: 0, sent: 0 },
  evolve: {
    ParcelAnnounced: (state) => ({ ...state, announced: state.announced + 1 }),
    ParcelSent: (state) => ({ ...state, sent: state.sent + 1 }),
  },
  commands: {
    announce: {
      input: z.object({ total: z.number() }),
      decide: (_state, { total }) => [{ type: 'ParcelAnnounced', data: { total } }],
    },
    send: { input: nothing, decide: () => [{ type: 'ParcelSent', data: {} }] },
  },
});
const charge = activity({
  name: 'charge',
  input: z.object({ total: z.number() }),
  output: z.object({ chargeId: z.string() }),
});
const refund = activity({ name: 'refund', input: z.object({ chargeId: z.string() }), output: nothing });

/** Three steps: a command, an activity that can be undone, a command. Four appends, each of which is durable before the next. */
const fulfilment = defineSaga({
  name: 'fulfilment',
  input: z.object({ id: z.string(), total: z.number() }),
  events: {},
  activities: { charge, refund },
  initialState: { id: '', total: 0 },
  evolve: (state, event) => (event.type === 'started' ? event.data : state),
  next: steps([
    ({ id, total }) => command('announce', depot.commands.announce(id, { total })),
    ({ total }) =>
      charge('charge', { total }, { compensate: (charged) => refund('refund', { chargeId: charged?.chargeId ?? '' }) }),
    ({ id }) => command('send', depot.commands.send(id, {})),
  ]),
});

export const eventsrcSagas: Contestant = {
  name: 'eventsrc, sagas',
  async run(file, budget) {
    await using engine = await openEngine({
      store: backendAt(file),
      aggregates: [depot],
      sagas: [fulfilment],
      activities: [charge.implement(({ total }) => ({ chargeId: `charge-${total}` })), refund.implement(() => ({}))],
      onWarning: () => {},
    });
    await engine.settled();
    return await complete(engine, budget);
  },
};

async function complete(engine: Engine, budget: Budget): Promise<Measurement> {
  let sagas = 0;
  const run = async () => {
    const id = `o-${sagas++}`;
    const instance = await engine.start(fulfilment, id, { id: String(sagas % depots), total: sagas });
    const { kind } = await instance.result();
    if (kind !== 'completed') throw new Error(`a saga did not complete: ${kind}`);
  };
  const load = { inFlight, eventsPerAppend: 1 };
  await drive(run, load, warmUp(budget));
  return await drive(run, load, budget);
}
