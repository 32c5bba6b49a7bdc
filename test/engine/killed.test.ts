import { join } from 'node:path';
import { memory, openEngine } from 'eventsrc';
import type { Engine } from 'eventsrc';
import { sqlite } from 'eventsrc/sqlite';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { account } from '../command/account.ts';
import { startProgram } from '../support/child.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { expectedStates, keyedWork } from './keyed-work.ts';

const rounds = process.env.SOAK === '1' ? 200 : 3;
const killsPerRound = 6;
const perAccount = 40;

async function statesOf(engine: Engine, ids: readonly string[]): Promise<readonly object[]> {
  return Promise.all(
    ids.map(async (id) => {
      const { state, version } = await engine.load(account, id);
      return { id, ...state, version };
    }),
  );
}

test(`processes killed ${rounds * killsPerRound} times and begun again do every command once`, async () => {
  const folder = await temporaryFolder();
  for (let round = 0; round < rounds; round++) {
    const seed = Math.floor(Math.random() * 2 ** 31);
    const file = join(folder, `${round}.db`);
    const args = [file, String(seed), String(perAccount)];
    let done = new Set<string>();
    for (let kill = 0; kill < killsPerRound; kill++) {
      // Two at once: each finds the other's receipts.
      const workers = [startProgram('keyed-worker', args), startProgram('keyed-worker', args)];
      const goal = Math.min(done.size + 1 + Math.floor(Math.random() * 30), perAccount * 5);
      const reached = workers.map(async (worker) => {
        while (worker.lines.length < goal) await worker.nextLine();
      });
      await Promise.any(reached);
      for (const worker of workers) worker.process.kill('SIGKILL');
      const finished = await Promise.all(workers.map((worker) => worker.finished));
      const said = finished.flatMap(({ lines }) => lines).map((line) => line.split(' ', 1).join());
      done = new Set([...done, ...said]);
    }
    const { code, lines, stderr } = await startProgram('keyed-worker', args).finished;
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    // Whatever a killed process reported had really been done.
    const fresh = lines.filter((line) => line.endsWith('false')).map((line) => line.split(' ', 1).join());
    expect(fresh.filter((key) => done.has(key))).toEqual([]);
    const work = keyedWork(seed, perAccount);
    await using engine = await openEngine({ store: sqlite(file) });
    const wanted = expectedStates(work);
    expect(
      await statesOf(
        engine,
        wanted.map(({ id }) => id),
      ),
      `seed ${seed}`,
    ).toEqual(wanted);
  }
});

test('commands cancelled at random and repeated under their keys are done once', async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(), fc.array(fc.nat(3), { minLength: 60, maxLength: 60 }), async (seed, delays) => {
      await using engine = await openEngine({ store: memory(), aggregates: [account] });
      const work = keyedWork(seed, 12);
      await Promise.all(
        work.map(async (commands, row) => {
          for (const [column, { key, command }] of commands.entries()) {
            const aborting = new AbortController();
            const turns = delays[row * 12 + column] ?? 0;
            const attempt = engine.execute(command, { idempotencyKey: key, signal: aborting.signal });
            attempt.catch(() => {});
            for (let turn = 0; turn < turns; turn++) await Promise.resolve();
            aborting.abort();
            await attempt.catch(() => {});
            await engine.execute(command, { idempotencyKey: key });
          }
        }),
      );
      const wanted = expectedStates(work);
      expect(
        await statesOf(
          engine,
          wanted.map(({ id }) => id),
        ),
      ).toEqual(wanted);
    }),
    { numRuns: process.env.SOAK === '1' ? 2_000 : 60 },
  );
});
