/** Behind a pooler that gives a client another connection for each transaction, and passes no notifications on. */
import { expect, test } from 'vitest';
import { openLog } from 'eventsrc';
import { postgres } from 'eventsrc/postgres';
import { eventStoreConformance } from 'eventsrc/testing';
import { hasPgbouncer, Pgbouncer } from '../support/pgbouncer.ts';
import { PostgresServer } from '../support/postgres-server.ts';

const reason = hasPgbouncer ? '' : ' (skipped: PgBouncer is not installed, and Debian’s archive was not reached)';

// The whole suite is one test here.
const timeout = 300_000;

test.skipIf(!hasPgbouncer)(
  `everything that a backend must do, it does behind PgBouncer${reason}`,
  { timeout },
  async () => {
    await using server = await PostgresServer.start();
    await using pooler = await Pgbouncer.before(server.port);
    let count = 0;
    const capabilities = { sharedTransaction: true, gapless: true, conditions: 'matched', multiStream: true } as const;
    const cases = eventStoreConformance({
      capabilities: { ...capabilities, appendMax: 1_000, groupsInFlight: 1 },
      shared: true,
      place: async () => {
        const schema = `case_${++count}`;
        return { backend: postgres(pooler.url, { schema, partitions: 2 }), remove: async () => {} };
      },
    });
    for (const { name, run } of cases)
      await run().catch((cause: unknown) => expect.unreachable(`${name}: ${String(cause)}`));
    expect(count).toBe(cases.length);

    await using log = await openLog({ store: postgres(pooler.url) });
    const appending = Promise.all(
      Array.from({ length: 500 }, (_, index) =>
        log.append([{ stream: `s-${index % 7}`, events: [{ type: 'Happened', data: index }] }]),
      ),
    );
    await using follower = await openLog({ store: postgres(pooler.url) });
    const seen: number[] = [];
    while (seen.length < 500) {
      await follower.appended(seen.length);
      for await (const page of follower.read({ after: seen.length }))
        seen.push(...page.map(({ position }) => position));
    }
    await appending;
    expect(seen).toEqual(Array.from({ length: 500 }, (_, index) => index + 1));
  },
);
