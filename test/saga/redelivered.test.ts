/** Events that come again, early, late and in another order, also in other stores: an instance goes on from where it was, and nothing happens twice. */
import assert from 'node:assert/strict';
import { copyLog, memory, openEngine, openLog } from 'eventsrc';
import type { AnySaga, Backend, Engine, EngineOptions, EventLog, PortableEvent } from 'eventsrc';
import { TestClock } from 'eventsrc/testing';
import { describe, expect, onTestFinished, test } from 'vitest';
import { shared } from '../support/gated-store.ts';
import { backendAt, bothPlaces, withState } from '../support/place.ts';
import { postgresSchemas } from '../support/postgres-schemas.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { aftermathOf, faultsOf } from './campaign/outcome.ts';
import type { Plan } from './campaign/plan.ts';
import { defineTrips, implementations } from './campaign/trips.ts';
import { World, fair } from './campaign/world.ts';

const hourMs = 3_600_000;
const trips = defineTrips();
const planOf = (saga: 'tour' | 'trip'): Plan => ({
  name: '1',
  saga,
  groups: [
    [{ kind: 'activity', key: 'charge', activity: 'charge' }],
    [{ kind: 'wait', key: 'out', type: 'Arrived', comes: true }],
    [{ kind: 'command', key: 'enter', ledger: 'north', isRefused: false }],
    [{ kind: 'sleep', key: 'sleep', ms: hourMs }],
    [{ kind: 'wait', key: 'back', type: 'Arrived', comes: true }],
    [{ kind: 'activity', key: 'book', activity: 'book' }],
  ],
  ends: 'completing',
});

const places = bothPlaces(await temporaryFolder(), postgresSchemas());

describe.each([['memory', undefined] as const, ...places])('on %s', (kind, newPlace) => {
  function newStore(): () => Backend {
    const place = newPlace?.();
    const onlyMemory = shared(memory());
    return () => (place === undefined ? onlyMemory : backendAt(place));
  }

  /** What all engines of a test have in common. */
  class Stage {
    readonly plan: Plan;
    readonly saga: AnySaga;
    readonly clock = new TestClock();
    readonly world = new World(1, fair);
    readonly settings: Omit<EngineOptions, 'store'> = {
      sagas: trips.sagas,
      aggregates: trips.aggregates,
      activities: implementations(this.world),
      clock: this.clock,
      hooks: { consumer: () => {}, saga: () => {}, snapshot: () => {} },
    };

    /** @param saga started by an event, or by a call. */
    constructor(saga: 'tour' | 'trip') {
      this.plan = planOf(saga);
      this.saga = trips.byName[saga];
    }

    async engine(store: EngineOptions['store']): Promise<Engine> {
      const engine = await openEngine({ ...this.settings, store });
      onTestFinished(() => engine.close());
      return engine;
    }

    async log(store: Backend): Promise<EventLog> {
      const log = await openLog({ store, clock: this.clock });
      onTestFinished(() => log.close());
      return log;
    }

    /** Until it sleeps. One event comes before the start, and is none of its. */
    async begin(engine: Engine): Promise<void> {
      await this.happens(engine.log, 'Arrived');
      if (this.plan.saga === 'tour') await this.happens(engine.log, 'TourAsked');
      else await engine.start(this.saga, '1', this.plan);
      await this.happens(engine.log, 'Arrived');
      await engine.settled();
    }

    async happens(log: EventLog, type: 'TourAsked' | 'Arrived'): Promise<void> {
      await log.append([{ stream: 'port-1', events: [{ type, data: { trip: '1', plan: this.plan } }] }]);
      this.clock.advance(1);
    }

    async wakesUp(engine: Engine): Promise<void> {
      this.clock.advance(hourMs);
      await engine.settled();
    }

    async comesBack(engine: Engine): Promise<void> {
      await this.happens(engine.log, 'Arrived');
      assert.equal((await engine.saga(this.saga, '1').result({ timeoutMs: 10_000 })).kind, 'completed');
      await engine.settled();
    }

    async checkOnce({ log, sagas }: Engine): Promise<void> {
      const deeds = this.world.deeds.map(({ kind: what, item }) => `${what} ${item}`);
      assert.deepEqual(deeds, ['do 1/charge', 'do 1/book']);
      const aftermath = await aftermathOf(log, this.world);
      assert.deepEqual(aftermath.entries, [{ type: 'Entered', item: '1/enter' }]);
      assert.deepEqual(faultsOf(this.plan, aftermath), []);
      assert.deepEqual(await sagas.list(), []);
    }

    async effects(engine: Engine) {
      return (await engine.saga(this.saga, '1').state()).effects;
    }

    /** All events are delivered again, to whoever opens it next. */
    async setBack(store: Backend): Promise<void> {
      const result = await withState(store, async (state) => {
        const all = await state.checkpoints(`${this.plan.saga}@1.1#`);
        return state.commit({ checkpoints: all.map(({ name, position }) => ({ name, from: position, to: 0 })) });
      });
      assert.equal(result, 'committed');
    }
  }

  test.each(['tour', 'trip'] as const)(
    'all events are delivered again: while a %s sleeps, waits, and has ended',
    async (saga) => {
      const stage = new Stage(saga);
      const store = newStore();
      let engine = await stage.engine(store());
      const again = async () => {
        const { streamVersion } = await engine.saga(stage.saga, '1').state();
        await engine.close();
        await stage.setBack(store());
        engine = await stage.engine(store());
        await engine.settled();
        expect((await engine.saga(stage.saga, '1').state()).streamVersion).toBe(streamVersion);
      };
      await stage.begin(engine);
      await again();
      expect(await engine.sagas.list()).toMatchObject([{ id: '1', status: 'running' }]);
      await stage.wakesUp(engine);
      await again();
      expect((await stage.effects(engine))['back']?.status).toBe('open');
      await stage.comesBack(engine);
      await again();
      await stage.checkOnce(engine);
    },
  );

  test(`it goes on in a copy on ${kind}, with its timer`, async () => {
    const stage = new Stage('tour');
    const original = await stage.log(memory());
    const first = await stage.engine(original);
    await stage.begin(first);
    await first.close();
    const copy = await stage.log(newStore()());
    await copyLog(original, copy);
    const second = await stage.engine(copy);
    await second.settled();
    expect(await second.sagas.list()).toMatchObject([{ id: '1', status: 'running' }]);
    await stage.wakesUp(second);
    expect((await stage.effects(second))['back']?.status).toBe('open');
    await stage.comesBack(second);
    await stage.checkOnce(second);
  });

  test('it goes on where its events were imported in another order, and fewer of them', async () => {
    const stage = new Stage('tour');
    const original = await stage.log(newStore()());
    for (let count = 0; count < 40; count++)
      await original.append([{ stream: `noise-${count}`, events: [{ type: 'Heard', data: {} }] }]);
    const first = await stage.engine(original);
    await stage.begin(first);
    await stage.wakesUp(first);
    await first.close();
    const events: PortableEvent[] = [];
    for await (const page of original.readRecorded())
      events.push(...page.filter(({ stream }) => !stream.startsWith('noise-')));
    // Those of one moment, the steps first.
    events.sort((a, b) => a.recordedAt - b.recordedAt || Number(b.stream === 'tour-1') - Number(a.stream === 'tour-1'));
    const log = await stage.log(newStore()());
    await log.import(events);
    const second = await stage.engine(log);
    await second.settled();
    await stage.comesBack(second);
    await stage.checkOnce(second);
  });
});
