/**
 * Several sagas at a time, with random plans, in a world that is unreliable; workers that are cut off, displaced and closed; signals and events that
 * come twice or late; operators who act at random. At the end everything is looked at.
 */
import { hasCode, openEngine } from 'eventsrc';
import type { Backend, Clock, Engine, EngineOptions, SagaHandle } from 'eventsrc';
import { setTimeout as pause } from 'node:timers/promises';
import { seededRandom } from '../../support/random.ts';
import { startProgram } from '../../support/child.ts';
import type { Child } from '../../support/child.ts';
import { placeArguments } from '../../support/place.ts';
import type { Place } from '../../support/place.ts';
import { Cut, cutBy } from '../cut-store.ts';
import { aftermathOf, faultsOf, tallyOf } from './outcome.ts';
import { operate } from './operator.ts';
import { effectsOf, randomPlan, withChildren } from './plan.ts';
import type { Plan } from './plan.ts';
import { defineTrips, implementations, ledger } from './trips.ts';
import type { Trips } from './trips.ts';
import { WorldServer } from './world-server.ts';
import { World } from './world.ts';

export interface CampaignOptions {
  readonly seed: number;
  /** Opens the same store each time. */
  readonly open: () => Backend;
  readonly instances: number;
  /** Workers that do not live to the end. */
  readonly lives: number;
  /** Where these are processes, killed or stopped: where they find the store. Default: engines in this process, cut off from it. */
  readonly place?: Place;
}

const leaseMs = 200;
const patientMs = 20_000;

export interface Report {
  /** What is wrong. */
  readonly faults: readonly string[];
  /** How often what happened. */
  readonly tally: ReadonlyMap<string, number>;
}

export async function campaign(options: CampaignOptions): Promise<Report> {
  await using run = await Campaign.begin(options);
  return await run.run();
}

/** Done by somebody outside, at some time. */
type Act = () => Promise<void>;

interface Stage {
  readonly options: CampaignOptions;
  readonly world: World;
  readonly trips: Trips;
  /** Items of which it can be said again how they are undone. */
  readonly corrected: Set<string>;
  /** Of the process from which everybody outside acts. */
  readonly desk: Engine;
  readonly clock: SkippingClock;
}

class Campaign implements AsyncDisposable {
  readonly #stage: Stage;
  readonly #random: () => number;
  readonly #plans: readonly Plan[];
  /** Those of children, too. */
  readonly #all: readonly Plan[];
  readonly #workers: Engine[] = [];
  readonly #processes: Child[] = [];
  #server: WorldServer | undefined;
  #acts: Act[];

  private constructor(stage: Stage) {
    this.#stage = stage;
    const { seed, instances } = stage.options;
    const random = seededRandom(seed);
    this.#random = random;
    this.#plans = Array.from({ length: instances }, (_, index) =>
      randomPlan(Math.floor(random() * 2 ** 31), `${index + 1}`, random() < 0.5 ? 'trip' : 'tour'),
    );
    this.#all = this.#plans.flatMap(withChildren);
    this.#acts = this.#merged(this.#plans.map((plan) => this.#actsFor(plan)));
  }

  static async begin(options: CampaignOptions): Promise<Campaign> {
    const clock = skippingClock();
    const world = new World(options.seed);
    const corrected = new Set<string>();
    const trips = defineTrips({ isFaulty: (item) => !corrected.has(item) });
    const desk = await openEngine({ ...settings(trips, world, clock), store: options.open(), run: 'none' });
    return new Campaign({ options, world, trips, corrected, desk, clock });
  }

  async run(): Promise<Report> {
    const { world, desk, options } = this.#stage;
    for (let left = options.lives; left > 0; left--)
      await (options.place === undefined ? this.#live(left) : this.#liveApart(left, options.place));
    const worker = await this.#open(new Cut());
    // Those that were stopped are behind by now.
    for (const { process } of this.#processes) process.kill('SIGCONT');
    await this.#finish(worker);
    await world.calm();
    const before = await aftermathOf(desk.log, world);
    await this.#comeTooLate();
    await worker.settled();
    const after = await aftermathOf(desk.log, world);
    const faults = this.#all.flatMap((plan) => faultsOf(plan, after));
    for (const [name, steps] of before.steps)
      if (after.steps.get(name)?.length !== steps.length) faults.push(`${name} went on after its end`);
    for (const { saga, id, status } of await worker.sagas.list()) faults.push(`${saga} ${id} is listed as ${status}`);
    return { faults, tally: tallyOf(after) };
  }

  async #open(cut: Cut): Promise<Engine> {
    const { options, trips, world, clock } = this.#stage;
    const worker = await openEngine({ ...settings(trips, world, clock), store: cutBy(options.open(), cut) });
    this.#workers.push(worker);
    return worker;
  }

  /** A worker that is cut off somewhere, is displaced while it goes on, or is closed in time. @param left lives, this one among them. */
  async #live(left: number): Promise<void> {
    const how = this.#random();
    const place = {
      at: this.#random() < 0.7 ? 'append' : 'document',
      count: 1 + Math.floor(this.#random() * 30),
      isDone: this.#random() < 0.5,
    } as const;
    const cut = new Cut(how < 0.5 ? place : undefined);
    let worker: Engine | undefined;
    try {
      worker = await this.#open(cut);
    } catch (error) {
      if (!cut.isMade) throw error;
    }
    await this.#act(left);
    // By chance it has the time to end what it can.
    await Promise.race([pause(this.#random() * 50), cut.made]);
    if (how < 0.7) cut.now();
    // It goes on, and somebody else begins.
    else if (how < 0.9) cut.isDisplaced = true;
    else await worker?.close();
    this.#stage.clock.skip();
    if (cut.isMade) await worker?.close();
  }

  /** A process that is killed, or stopped until all is nearly over. */
  async #liveApart(left: number, place: Place): Promise<void> {
    this.#server ??= await WorldServer.start(this.#stage.world);
    const child = startProgram('trip-worker', [...placeArguments(place), this.#server.url, `${leaseMs}`]);
    this.#processes.push(child);
    await child.nextLine();
    await this.#act(left);
    await pause(this.#random() * 150);
    // Whoever is stopped in the middle of a transaction on a file keeps all others from writing.
    const isKilled = this.#random() < 0.7 || place[0] === 'sqlite';
    child.process.kill(isKilled ? 'SIGKILL' : 'SIGSTOP');
    if (isKilled) await child.finished;
  }

  /** A share of what is done from outside. */
  async #act(left: number): Promise<void> {
    const share = Math.ceil(this.#acts.length / (left + 1));
    for (const act of this.#acts.splice(0, share)) {
      await act();
      if (this.#random() < 0.3) await pause(Math.floor(this.#random() * 4));
    }
    if (this.#random() < 0.5) await this.#operate();
  }

  /** What is to be done for an instance from outside: its start first. */
  #actsFor(plan: Plan): Act[] {
    const begin: Act[] = [];
    if (plan.saga === 'tour') begin.push(() => this.#append(plan, 'TourAsked'));
    else for (let times = 0; times < 2; times++) begin.push(() => this.#start(plan));
    const acts: Act[] = [];
    for (const one of effectsOf(plan)) {
      if (one.kind !== 'wait' || !one.comes) continue;
      const { type, key } = one;
      if (type === 'Arrived') acts.push(() => this.#append(plan, type));
      else for (let times = 0; times < 2; times++) acts.push(() => this.#signal(plan, type, key));
    }
    if (this.#random() < 0.12) acts.push(() => this.#cancel(plan));
    if (this.#random() < 0.3) acts.push(() => this.#lock());
    return [...begin, ...acts.sort(() => this.#random() - 0.5)];
  }

  /** Mixed at random, each list in its order. */
  #merged(lists: readonly Act[][]): Act[] {
    const merged: Act[] = [];
    for (let left = lists.filter((list) => list.length > 0); left.length > 0;) {
      const list = left[Math.floor(this.#random() * left.length)] as Act[];
      merged.push(...list.splice(0, 1));
      left = left.filter(({ length }) => length > 0);
    }
    return merged;
  }

  #handle(plan: Plan): SagaHandle {
    const { desk, trips } = this.#stage;
    return desk.saga(trips.byName[plan.saga], plan.name);
  }

  async #start(plan: Plan): Promise<void> {
    const { desk, trips } = this.#stage;
    await desk.start(trips.byName[plan.saga], plan.name, plan);
  }

  async #append(plan: Plan, type: 'TourAsked' | 'Arrived'): Promise<void> {
    const trip = plan.name;
    const data = type === 'TourAsked' ? { trip, plan } : { trip };
    await this.#stage.desk.log.append([{ stream: `port-${trip}`, events: [{ type, data }] }]);
  }

  async #signal(plan: Plan, type: string, key: string): Promise<void> {
    try {
      await this.#handle(plan).signal(type, { trip: plan.name }, { key });
    } catch (error) {
      // It may have ended; or nobody has come to its start yet.
      if (hasCode(error, 'saga_not_found')) this.#acts.push(() => this.#signal(plan, type, key));
      else if (!hasCode(error, 'saga_refused')) throw error;
    }
  }

  async #cancel(plan: Plan): Promise<void> {
    await unlessNotFound(this.#handle(plan).cancel('it is not wanted any more'));
  }

  async #lock(): Promise<void> {
    await this.#stage.desk.execute(ledger.commands.lock('south', {}));
  }

  /** Works until all have ended, with operators for those that are stuck. */
  async #finish(worker: Engine): Promise<void> {
    const end = performance.now() + patientMs;
    for (;;) {
      for (const act of this.#acts.splice(0)) await act();
      for (const plan of this.#all) if (plan.saga === 'errand') await this.#signalChild(plan);
      await this.#operate();
      const running = await worker.sagas.list();
      if (running.length === 0 && this.#acts.length === 0) {
        await worker.settled({ timeoutMs: patientMs });
        // The view may not have come to all of them before.
        if ((await worker.sagas.list()).length === 0) return;
      }
      if (performance.now() > end) {
        const which = running.map(({ saga, id, status }) => `${saga} ${id} (${status})`);
        throw new Error(`after ${patientMs} ms there are ${which.join(', ')}`);
      }
      await pause(2);
    }
  }

  async #operate(): Promise<void> {
    const { world, corrected, desk } = this.#stage;
    for (const { id } of await desk.sagas.list({ status: 'stuck' })) {
      const plan = this.#all.find(({ name }) => name === id) as Plan;
      await operate({ handle: this.#handle(plan), plan, world, random: this.#random, corrected, desk });
    }
  }

  /** Nobody outside knows when children are started. */
  async #signalChild(plan: Plan): Promise<void> {
    for (const one of effectsOf(plan)) {
      if (one.kind !== 'wait' || !one.comes) continue;
      const signal = this.#handle(plan).signal(one.type, { trip: plan.name }, { key: one.key });
      await unlessNotFound(signal).catch((error: unknown) => {
        if (!hasCode(error, 'saga_refused')) throw error;
      });
    }
  }

  /** After the end of all of them. */
  async #comeTooLate(): Promise<void> {
    for (const plan of this.#plans) {
      await this.#append(plan, 'Arrived');
      if (plan.saga === 'tour') await this.#append(plan, 'TourAsked');
      await this.#signal(plan, 'Approved', 'too late');
      await this.#cancel(plan);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { process } of this.#processes) process.kill('SIGKILL');
    await Promise.all(this.#processes.map(({ finished }) => finished));
    for (const worker of this.#workers) await worker.close();
    await this.#stage.desk.close();
    await this.#server?.[Symbol.asyncDispose]();
  }
}

async function unlessNotFound(asked: Promise<unknown>): Promise<void> {
  try {
    await asked;
  } catch (error) {
    if (!hasCode(error, 'saga_not_found')) throw error;
  }
}

function settings(trips: Trips, world: World, clock: Clock): Omit<EngineOptions, 'store'> {
  const { sagas, aggregates } = trips;
  const quiet = { consumer: () => {}, saga: () => {}, snapshot: () => {} };
  return { sagas, aggregates, activities: implementations(world), clock, leaseMs, hooks: quiet };
}

export interface SkippingClock extends Clock {
  /** By default past all leases. */
  skip(ms?: number): void;
}

export function skippingClock(): SkippingClock {
  let skippedMs = 0;
  return { now: () => Date.now() + skippedMs, skip: (ms = 3 * leaseMs) => void (skippedMs += ms) };
}
