/** Workers are cut off from the store at every append that a saga makes, before it is done or when it is: whoever goes on ends it as if nothing had been. */
import assert from 'node:assert/strict';
import { memory, openEngine, openLog } from 'eventsrc';
import type { Backend, Engine, EngineOptions, OpenLog } from 'eventsrc';
import { describe, expect, test, vi } from 'vitest';
import { shared } from '../support/gated-store.ts';
import { backendAt, bothPlaces } from '../support/place.ts';
import { postgresSchemas } from '../support/postgres-schemas.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { skippingClock } from './campaign/campaign.ts';
import type { SkippingClock } from './campaign/campaign.ts';
import { aftermathOf, faultsOf } from './campaign/outcome.ts';
import { withChildren } from './campaign/plan.ts';
import type { Plan, PlannedEffect, PlannedUndo } from './campaign/plan.ts';
import { defineTrips, implementations } from './campaign/trips.ts';
import { World, fair } from './campaign/world.ts';
import type { Weather } from './campaign/world.ts';
import { Cut, cutBy } from './cut-store.ts';
import type { CutPlace } from './cut-store.ts';

interface Form {
  readonly form: string;
  /** What comes last in its plan. */
  readonly last: readonly PlannedEffect[];
  readonly weather: Weather;
  readonly end: 'completed' | 'compensated';
}

const undone = (given: PlannedUndo['given'], by: PlannedUndo['by']) => ({ undo: { given, by } }) as const;
const enters = (key: string, isRefused = false): PlannedEffect => ({
  kind: 'command',
  key,
  ledger: 'north',
  isRefused,
  ...undone('data', 'command'),
});
const bad: Weather = { do: { failed: 30, answer_lost: 30 }, undo: { failed: 30, answer_lost: 30 }, wrongMax: 1 };

const forms: readonly Form[] = [
  { form: 'completes', last: [], weather: fair, end: 'completed' },
  { form: 'is compensated', last: [enters('last', true)], weather: bad, end: 'compensated' },
];

/** Of everything something. */
function planOf(name: string, last: readonly PlannedEffect[]): Plan {
  const errand: Plan = {
    name: `${name}.1`,
    saga: 'errand',
    groups: [[{ kind: 'activity', key: 'book', activity: 'book', ...undone('data', 'activity') }], [enters('enter')]],
    ends: 'completing',
  };
  const groups: PlannedEffect[][] = [
    [{ kind: 'activity', key: 'charge', activity: 'charge', ...undone('function', 'activity') }],
    [enters('enter'), { kind: 'activity', key: 'book', activity: 'book', ...undone('data', 'command') }],
    [{ kind: 'wait', key: 'arrived', type: 'Arrived', comes: true }],
    [{ kind: 'child', key: 'errand', plan: errand, detached: false, ...undone('function', 'activity') }],
    [{ kind: 'sleep', key: 'sleep', ms: 1 }],
  ];
  return { name, saga: 'tour', groups: [...groups, ...last.map((one) => [one])], ends: 'completing' };
}

const trips = defineTrips();

/** Each worker ends what the one before it has left behind, begins an instance of its own, and is cut off. */
class Relay {
  readonly #form: Form;
  readonly #open: () => Backend;
  readonly #log: OpenLog & Engine['log'];
  readonly #clock: SkippingClock;
  readonly #world: World;
  readonly #settings: Omit<EngineOptions, 'store'>;
  #count = 0;
  #ended: (name: string) => void = () => {};

  private constructor(form: Form, open: () => Backend, clock: SkippingClock, log: Engine['log']) {
    this.#form = form;
    this.#open = open;
    this.#clock = clock;
    this.#log = log;
    this.#world = new World(1, form.weather);
    this.#settings = {
      sagas: trips.sagas,
      aggregates: trips.aggregates,
      activities: implementations(this.#world),
      clock,
      leaseMs: 200,
      hooks: {
        consumer: () => {},
        snapshot: () => {},
        saga: (notice) => notice.kind === 'ended' && this.#ended(notice.instance),
      },
    };
  }

  static async begin(form: Form, open: () => Backend): Promise<Relay> {
    const clock = skippingClock();
    return new Relay(form, open, clock, await openLog({ store: open(), clock }));
  }

  /** @returns how many appends the worker made for its instance. */
  async run(place: CutPlace): Promise<number> {
    const cut = new Cut();
    const worker = await openEngine({ ...this.#settings, store: cutBy(this.#open(), cut) });
    await this.#endLast(worker);
    cut.arm(place);
    const plan = planOf(`${++this.#count}`, this.#form.last);
    const ended = Promise.withResolvers<void>();
    this.#ended = (name) => name === plan.name && ended.resolve();
    const data = { trip: plan.name };
    const events = [
      { type: 'TourAsked', data: { ...data, plan } },
      { type: 'Arrived', data },
    ];
    await this.#log.append([{ stream: `port-${plan.name}`, events }]);
    await Promise.race([cut.made, ended.promise]);
    const { appends } = cut;
    cut.now();
    this.#clock.skip();
    await worker.close();
    return appends;
  }

  async #endLast(worker: Engine): Promise<void> {
    if (this.#count === 0) return;
    const plan = planOf(`${this.#count}`, this.#form.last);
    const handle = worker.saga(trips.byName.tour, plan.name);
    const isThere = async () => (await this.#log.heads([handle.stream])).some(({ version }) => version > 0);
    await vi.waitUntil(isThere, { timeout: 20_000, interval: 1 });
    assert.equal((await handle.result({ timeoutMs: 20_000 })).kind, this.#form.end);
    await this.#world.calm();
    const aftermath = await aftermathOf(this.#log, this.#world);
    assert.deepEqual(
      withChildren(plan).flatMap((one) => faultsOf(one, aftermath)),
      [],
    );
  }

  async end(): Promise<void> {
    await using worker = await openEngine({ ...this.#settings, store: this.#open() });
    await this.#endLast(worker);
    await this.#log.close();
  }
}

const places = bothPlaces(await temporaryFolder(), postgresSchemas());
const isSoak = process.env.SOAK !== undefined;

describe.each([['memory', undefined] as const, ...places])('on %s', (kind, newPlace) => {
  // What completes on PostgreSQL is what is compensated in the end.
  test.each(kind === 'postgres' && !isSoak ? forms.slice(1) : forms)('one that $form', async (form) => {
    const place = newPlace?.();
    const onlyMemory = shared(memory());
    const relay = await Relay.begin(form, () => (place === undefined ? onlyMemory : backendAt(place)));
    const appends = await relay.run({ at: 'append', count: Infinity, isDone: true });
    expect(appends).toBeGreaterThan(10);
    for (let count = 1; count <= appends + 1; count++) {
      const ways = kind === 'memory' || isSoak ? [false, true] : [count % 2 === 0];
      for (const isDone of ways) await relay.run({ at: 'append', count, isDone });
    }
    await relay.end();
  });
});
