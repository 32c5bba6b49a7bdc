/** Workers that believe what is no longer so: they were stopped for longer than their lease, or never heard that a commit had succeeded. */
import { memory, openEngine } from 'eventsrc';
import type { Backend, Engine, EngineOptions, StateCommit, StateCommitResult } from 'eventsrc';
import { afterEach, describe, expect, test } from 'vitest';
import { shared } from '../support/gated-store.ts';
import { guarded } from '../support/guarded-state.ts';
import { backendAt, bothPlaces } from '../support/place.ts';
import { postgresSchemas } from '../support/postgres-schemas.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { defineShelves, defineTrail, foldedLog, randomAppends, shownView } from './shelves.ts';
import type { Shelves } from './shelves.ts';

const leaseMs = 250;
const trail = defineTrail();
const opened: Engine[] = [];
const held: PromiseWithResolvers<void>[] = [];

afterEach(async () => {
  for (const { resolve } of held.splice(0)) resolve();
  await Promise.all(opened.splice(0).map((engine) => engine.close()));
});

function hold(): PromiseWithResolvers<void> {
  const wait = Promise.withResolvers<void>();
  held.push(wait);
  return wait;
}

async function engineOn(store: Backend, options: Partial<EngineOptions> = {}): Promise<Engine> {
  const engine = await openEngine({ store, projections: [trail], leaseMs, hooks: { consumer: () => {} }, ...options });
  opened.push(engine);
  return engine;
}

async function expectRight(engine: Engine, projection: Shelves): Promise<void> {
  await engine.settled();
  expect(await shownView(engine, projection)).toEqual(await foldedLog(engine.log, projection));
}

function changeOf(name: string, args: readonly unknown[]): StateCommit {
  return name === 'commit' ? (args[0] as StateCommit) : {};
}

const places = bothPlaces(await temporaryFolder(), postgresSchemas());

describe.each([['memory', undefined] as const, ...places])('on %s', (_, newPlace) => {
  const newStore = (): (() => Backend) => {
    const place = newPlace?.();
    const onlyMemory = shared(memory());
    return () => (place === undefined ? onlyMemory : backendAt(place));
  };

  test.each([
    ['is fenced', true],
    ['is refuted by the checkpoint alone', false],
  ])('one that wakes in the middle of a commit changes nothing: it %s', async (__, isFenced) => {
    const open = newStore();
    const stopped = hold();
    const goesOn = hold();
    const answered = hold();
    let isStopping = false;
    let result: unknown;
    const stopping = guarded(open(), async (call, name, args) => {
      const change = changeOf(name, args);
      const isWork = change.checkpoints?.some((one) => one.name === 'trail@1.1#0') === true;
      if (isStopping && isWork && result === undefined) {
        stopped.resolve();
        await goesOn.promise;
        if (!isFenced) Object.assign(change, { fences: [] });
        const answer = await call();
        result = answer;
        answered.resolve();
        return answer;
      }
      // Who is stopped renews nothing.
      if (isStopping && name === 'lease') await goesOn.promise;
      return call();
    });
    const late = await engineOn(stopping);
    const append = randomAppends(late.log, 1);
    await append(30);
    await late.settled();
    isStopping = true;
    await append(30);
    await stopped.promise;
    const other = await engineOn(open());
    await append(30);
    await expectRight(other, trail);
    const before = await shownView(other, trail);
    isStopping = false;
    goesOn.resolve();
    await answered.promise;
    expect(result).toBe(isFenced ? 'fenced' : 'checkpoint_moved');
    expect(await shownView(other, trail)).toEqual(before);
    await append(30);
    await expectRight(other, trail);
    // And takes over again, with what the other one has left.
    await other.close();
    await append(30);
    await expectRight(late, trail);
  });

  test('one that does not hear of its own commits folds nothing twice', async () => {
    const open = newStore();
    const shelves = defineShelves({ slots: 2 });
    let commits = 0;
    const deaf = guarded(open(), async (call, name, args) => {
      const answer = await call();
      const { puts = [] } = changeOf(name, args);
      const isWork = puts.some(({ collection }) => collection.startsWith('view/'));
      // As if it had been sent again, because the answer was lost.
      return isWork && commits++ % 3 === 1 ? ('checkpoint_moved' satisfies StateCommitResult as typeof answer) : answer;
    });
    const engine = await engineOn(deaf, { projections: [shelves] });
    const append = randomAppends(engine.log, 2);
    for (let round = 0; round < 12; round++) {
      await append(10);
      await engine.settled();
    }
    expect(commits).toBeGreaterThan(12);
    await expectRight(engine, shelves);
  });
});
