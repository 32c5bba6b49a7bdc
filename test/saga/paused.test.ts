/** Workers that die, or are stopped, in the middle of an activity, and what becomes of it when they or others come back. */
import { memory, openEngine } from 'eventsrc';
import type { Backend, EngineOptions, EventLog } from 'eventsrc';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { startProgram } from '../support/child.ts';
import type { Child } from '../support/child.ts';
import { shared } from '../support/gated-store.ts';
import { backendAt, bothPlaces, placeArguments } from '../support/place.ts';
import type { Place } from '../support/place.ts';
import { postgresSchemas } from '../support/postgres-schemas.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { skippingClock } from './campaign/campaign.ts';
import { aftermathOf, faultsOf } from './campaign/outcome.ts';
import type { Plan, PlannedEffect } from './campaign/plan.ts';
import { defineTrips, implementations } from './campaign/trips.ts';
import { WorldServer } from './campaign/world-server.ts';
import { World, fair } from './campaign/world.ts';
import type { Call, Outside, Receipt } from './campaign/world.ts';
import { Cut, cutBy } from './cut-store.ts';

const hourMs = 3_600_000;
const leaseMs = 400;
const quiet = { consumer: () => {}, saga: () => {}, snapshot: () => {} };
/** Nobody gives up by himself. */
const timeoutMs = 60_000;
const trips = defineTrips({ timeoutMs });
const { trip } = trips.byName;

const undo = { given: 'function', by: 'activity' } as const;
const enters = (isRefused: boolean): PlannedEffect => ({
  kind: 'command',
  key: 'enter',
  ledger: 'north',
  isRefused,
  undo,
});
const planOf = (name: string, isRefused: boolean): Plan => ({
  name,
  saga: 'trip',
  groups: [[{ kind: 'activity', key: 'charge', activity: 'charge', undo }], [enters(isRefused)]],
  ends: 'completing',
});

/** A world in which the first call waits, before it is done or before it is answered, until it is let go. */
class HoldingWorld implements Outside {
  readonly world = new World(1, fair);
  readonly #holds: 'before' | 'after';
  readonly #held = Promise.withResolvers<void>();
  readonly #go = Promise.withResolvers<void>();
  #answered: Promise<unknown> | undefined;

  constructor(holds: 'before' | 'after') {
    this.#holds = holds;
  }

  /** Resolves when the first call has come. */
  get held(): Promise<void> {
    return this.#held.promise;
  }

  call(call: Call): Promise<Receipt> {
    if (this.#answered !== undefined) return this.world.call(call);
    const answered = this.#hold(call);
    this.#answered = answered;
    return answered;
  }

  async #hold(call: Call): Promise<Receipt> {
    if (this.#holds === 'after') await this.world.call(call);
    this.#held.resolve();
    await this.#go.promise;
    return this.world.call(call);
  }

  ask(key: string): ReturnType<Outside['ask']> {
    return this.world.ask(key);
  }

  /** Resolves when the first call is answered; it may be refused. */
  async go(): Promise<void> {
    this.#go.resolve();
    await this.#answered?.catch(() => undefined);
    await this.world.calm();
  }
}

const cases = (['before', 'after'] as const).flatMap((holds) => [
  { holds, isRefused: false, end: 'completed' },
  { holds, isRefused: true, end: 'compensated' },
]);
const places = bothPlaces(await temporaryFolder(), postgresSchemas());
let names = 0;

describe.each([['memory', undefined] as const, ...places])('on %s', (_, newPlace) => {
  const onlyMemory = shared(memory());
  let place: Place | undefined;
  const open = (): Backend => {
    place ??= newPlace?.();
    return place === undefined ? onlyMemory : backendAt(place);
  };
  const clock = skippingClock();

  test.each(cases)(
    'a worker dies $holds its charge is made, and its successor comes an hour later: it is made once, and the trip is $end',
    async ({ holds, isRefused, end }) => {
      const outside = new HoldingWorld(holds);
      const { sagas, aggregates } = trips;
      const activities = implementations(outside);
      const settings: Omit<EngineOptions, 'store'> = {
        sagas,
        aggregates,
        activities,
        clock,
        leaseMs: 200,
        hooks: quiet,
      };
      const cut = new Cut();
      const first = await openEngine({ ...settings, store: cutBy(open(), cut) });
      const plan = planOf(`${++names}`, isRefused);
      await first.start(trip, plan.name, plan);
      await outside.held;
      cut.now();
      await first.close();
      clock.skip(hourMs);
      await using second = await openEngine({ ...settings, store: open() });
      expect(await second.saga(trip, plan.name).result({ timeoutMs: 20_000 })).toMatchObject({ kind: end });
      await outside.go();
      await checkOnce(second.log, outside.world, plan);
    },
  );
});

describe.each(places)('on %s', (_, newPlace) => {
  test.each(cases.filter((_case, index) => index % 3 === 0))(
    'a worker is stopped $holds its charge is made, and wakes up when another one has ended the trip, which is $end: it is made once',
    async ({ holds, isRefused, end }) => {
      const place = newPlace();
      const outside = new HoldingWorld(holds);
      await using server = await WorldServer.start(outside);
      const { sagas, aggregates } = trips;
      const settings: Omit<EngineOptions, 'store'> = { sagas, aggregates, run: 'none', hooks: quiet };
      await using desk = await openEngine({ ...settings, store: backendAt(place) });
      const stopped = begin(place, server.url);
      await stopped.nextLine();
      const [plan, next] = [planOf('1', isRefused), planOf('2', isRefused)];
      const handle = await desk.start(trip, '1', plan);
      await outside.held;
      await stop(stopped, desk.log);
      const other = begin(place, server.url);
      expect(await handle.result({ timeoutMs: 20_000 })).toMatchObject({ kind: end });
      stopped.process.kill('SIGCONT');
      await outside.go();
      other.process.kill('SIGKILL');
      await other.finished;
      // Only who woke up is there to take up another one.
      expect(await (await desk.start(trip, '2', next)).result({ timeoutMs: 20_000 })).toMatchObject({ kind: end });
      await outside.world.calm();
      for (const one of [plan, next]) await checkOnce(desk.log, outside.world, one);
    },
  );
});

function begin(place: Place, url: string): Child {
  const child = startProgram('trip-worker', [...placeArguments(place), url, `${leaseMs}`, `${timeoutMs}`]);
  onTestFinished(async () => {
    child.process.kill('SIGKILL');
    await child.finished;
  });
  return child;
}

/** Not in the middle of a transaction: on a file nobody else could write then. */
async function stop(child: Child, log: EventLog): Promise<void> {
  for (;;) {
    child.process.kill('SIGSTOP');
    let isDone = false;
    const append = log
      .append([{ stream: 'probe-1', events: [{ type: 'Probed', data: {} }] }])
      .then(() => (isDone = true));
    await vi.waitUntil(() => isDone, { timeout: 2_000, interval: 1 }).catch(() => undefined);
    if (isDone) return;
    child.process.kill('SIGCONT');
    await append;
  }
}

async function checkOnce(log: EventLog, world: World, plan: Plan): Promise<void> {
  const aftermath = await aftermathOf(log, world);
  expect(aftermath.steps.has(plan.name)).toBe(true);
  expect(faultsOf(plan, aftermath)).toEqual([]);
  const charges = world.deeds.filter(({ kind, item }) => kind === 'do' && item === `${plan.name}/charge`);
  expect(charges).toHaveLength(1);
}
