/** A client that stops in the middle of an append, wherever that is, holds up nobody else. */
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { openLog } from 'eventsrc';
import { postgres } from 'eventsrc/postgres';
import { PostgresServer } from '../support/postgres-server.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';

let server: PostgresServer;
let network: TcpProxy;
beforeAll(async () => {
  server = await PostgresServer.start();
  network = await TcpProxy.to(server.port);
});
afterAll(async () => {
  await network[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

const happened = { type: 'Happened', data: { text: 'x'.repeat(100) } };
const aGroup = Array.from({ length: 20 }, (_, index) => ({ stream: `stalling-${index}`, events: [happened] }));

test('whatever part of an append has arrived, others append; what was held up is then appended too', async () => {
  await using stalling = await openLog({
    store: postgres(`postgres://postgres@127.0.0.1:${network.port}/postgres`),
  });
  await using other = await openLog({ store: postgres(server.url()) });
  // The least that passed: now and then a notification passes, too.
  const size = { toServer: Infinity, toClient: Infinity };
  let count = 0;
  for (; count < 200; count += aGroup.length) {
    const before = { ...network.passed };
    await stalling.append(aGroup);
    for (const direction of ['toServer', 'toClient'] as const)
      size[direction] = Math.min(size[direction], network.passed[direction] - before[direction]);
  }
  let stalls = 0;
  for (const direction of ['toServer', 'toClient'] as const) {
    const places = Array.from({ length: 25 }, (_, index) => Math.floor((index * size[direction]) / 24));
    const ends = Array.from({ length: 60 }, (_, index) => size[direction] - index).filter((place) => place >= 0);
    for (const place of new Set([...places, ...(direction === 'toServer' ? ends : [])])) {
      network.stallAfter(direction, place);
      const appending = stalling.append(aGroup);
      // The last bytes of all may be the notification's: then nothing is held up.
      await Promise.race([appending, vi.waitUntil(() => network.isStalled, { timeout: 30_000, interval: 1 })]);
      stalls += Number(network.isStalled);
      expect((await other.append([{ stream: 'other-1', events: [happened] }])).kind).toBe('appended');
      network.resume();
      expect((await appending).kind).toBe('appended');
      count += 21;
    }
  }
  expect(stalls).toBeGreaterThan(60);
  expect((await other.head()).position).toBe(count);
});
