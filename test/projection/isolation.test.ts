/** One that fails or is slow is its own trouble only. */
import { join } from 'node:path';
import { defineProjection, memory, openEngine } from 'eventsrc';
import { expect, test } from 'vitest';
import { runProgram } from '../support/child.ts';
import { shared } from '../support/gated-store.ts';
import { backendAt, bothPlaces } from '../support/place.ts';
import { postgresSchemas } from '../support/postgres-schemas.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { crate, defineShelves, foldedLog, randomAppends, shownView } from './shelves.ts';

const folder = await temporaryFolder();
const places = bothPlaces(folder, postgresSchemas());

test.each([['memory', undefined] as const, ...places])(
  'on %s: of ten projections, the one that fails stands still, and nine are current',
  async (_, newPlace) => {
    const healthy = Array.from({ length: 9 }, (_unused, index) =>
      defineShelves({ name: `shelves${index}`, slots: 1 + (index % 3) }),
    );
    const broken = defineProjection({
      name: 'broken',
      from: [crate],
      key: () => 'all',
      initial: { count: 0 },
      on: {
        Stored: ({ count }, { position }) => {
          if (position > 30) throw new Error('enough');
          return { count: count + 1 };
        },
        Cleared: 'ignore',
        Noted: 'ignore',
      },
    });
    const store = newPlace === undefined ? shared(memory()) : backendAt(newPlace());
    const hooks = { consumer: () => {} };
    await using engine = await openEngine({ store, projections: [...healthy, broken], hooks });
    const append = randomAppends(engine.log, 10);
    await append(100);
    await expect(engine.settled()).rejects.toMatchObject({ code: 'consumer_faulted', details: { consumer: 'broken' } });
    await append(100);
    const { position: atLeast } = await engine.log.head();
    for (const projection of healthy) {
      await engine.view(projection).fresh({ atLeast });
      expect(await shownView(engine, projection)).toEqual(await foldedLog(engine.log, projection));
    }
    const states = (await engine.consumers.status()).map(({ state, lag }) => `${state} ${lag.events > 0}`);
    expect(states).toEqual([...healthy.map(() => 'running false'), 'faulted true']);
    const stale = await engine.view(broken).safeGet('all', { atLeast, timeoutMs: 10 });
    expect(stale).toMatchObject({ kind: 'stale' });
  },
);

test('one who follows slowly holds up no append, and nothing piles up for it', async () => {
  const thousands = 25;
  const [grown, seen] = await runProgram('slow-subscriber', [join(folder, 'slow.db'), String(thousands)]);
  expect(Number(seen)).toBe(1_000 * (thousands + 1));
  // Twenty-five megabytes were appended.
  expect(Number(grown)).toBeLessThan(9_000_000);
});
