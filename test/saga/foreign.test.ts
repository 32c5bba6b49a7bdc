/** What else may be found in the stream of an instance. */
import { join } from 'node:path';
import { sqlite } from 'eventsrc/sqlite';
import { afterEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { activity, complete, defineSaga, memory, sleep, waitFor } from '../../src/index.ts';
import type { Engine } from '../../src/index.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { closeAll, eventsOf, happens, hourMs, open } from './opened.ts';
import type { NewStore } from './opened.ts';

const visit = defineSaga({
  name: 'visit',
  events: { Rang: z.object({ visit: z.string() }), Left: z.object({ visit: z.string() }) },
  startsOn: ['Rang'],
  id: (event) => event.data.visit,
  initialState: null,
  evolve: (state) => state,
  next: (_state, { isDone }) =>
    isDone('left') && isDone('rest')
      ? [complete()]
      : [waitFor('left', 'Left', { timeoutMs: 10 * hourMs }), sleep('rest', { ms: 1_000 })],
});

const folder = await temporaryFolder();
let files = 0;

afterEach(closeAll);

async function appendTo(engine: Engine, stream: string, type: string): Promise<void> {
  const result = await engine.log.append([{ stream, events: [{ type, data: null }] }]);
  expect(result.kind).toBe('appended');
}

async function versionOf(engine: Engine, stream: string): Promise<number | undefined> {
  return (await engine.log.heads([stream]))[0]?.version;
}

describe.each<[string, NewStore]>([
  ['memory', memory],
  ['sqlite', () => sqlite(join(folder, `${++files}.db`))],
])('on %s', (_, newStore) => {
  test('an event that is no step changes nothing in an instance, which goes on behind it', async () => {
    const { engine, passes } = await open(newStore(), { sagas: [visit] });
    await happens(engine, 'Rang', { visit: '1' });
    await engine.settled();
    await appendTo(engine, 'visit-1', 'Scribbled');
    await passes(1_000);
    await appendTo(engine, 'visit-1', 'Scribbled');
    await happens(engine, 'Left', { visit: '1' });
    await engine.settled();
    const instance = engine.saga(visit, '1');
    expect(await instance.result()).toMatchObject({ kind: 'completed' });
    expect((await instance.state()).streamVersion).toBe(await versionOf(engine, 'visit-1'));
  });

  test('a tombstone ends an instance: nothing is done any more, and whoever acts on it is told', async () => {
    const { engine, passes, told } = await open(newStore(), { sagas: [visit] });
    await happens(engine, 'Rang', { visit: '1' });
    await engine.settled();
    const instance = engine.saga(visit, '1');
    const result = instance.result();
    await appendTo(engine, 'visit-1', '$deleted');
    await expect(result).rejects.toMatchObject({ code: 'saga_refused', message: expect.stringContaining('deleted') });
    await passes(hourMs);
    await happens(engine, 'Rang', { visit: '1' });
    await happens(engine, 'Left', { visit: '1' });
    await engine.settled();
    const { status, streamVersion } = await instance.state();
    expect({ status, streamVersion }).toEqual({ status: 'deleted', streamVersion: await versionOf(engine, 'visit-1') });
    await expect(instance.signal('Left', { visit: '1' })).rejects.toMatchObject({ code: 'saga_refused' });
    expect((await instance.cancel('late')).status).toBe('deleted');
    expect(await engine.sagas.counts()).toMatchObject([{ running: 0, stuck: 0, started: 1 }]);
    expect(told.filter(({ kind }) => kind === 'restarted')).toEqual([]);
  });

  test('what is under way when a tombstone comes is not recorded behind it', async () => {
    const ring = activity({ name: 'ring', input: z.null(), output: z.null() });
    const parcel = defineSaga({
      name: 'parcel',
      events: {},
      input: z.null(),
      activities: { ring },
      initialState: null,
      evolve: (state) => state,
      next: (_state, { isDone }) => (isDone('bell') ? [complete()] : [ring('bell', null)]),
    });
    const begun = Promise.withResolvers<void>();
    const answer = Promise.withResolvers<null>();
    const implemented = ring.implement(() => (begun.resolve(), answer.promise));
    const { engine, told } = await open(newStore(), { sagas: [parcel], activities: [implemented] });
    const instance = await engine.start(parcel, '1', null);
    await begun.promise;
    await appendTo(engine, 'parcel-1', '$deleted');
    answer.resolve(null);
    await expect(instance.result()).rejects.toMatchObject({ code: 'saga_refused' });
    await engine.settled();
    expect((await eventsOf(engine, 'parcel-1')).at(-1)?.type).toBe('$deleted');
    expect(told.filter(({ kind }) => kind === 'restarted')).toEqual([]);
  });

  test('an instance cannot have the id of a stream that begins with something else, and others go on once that is passed by', async () => {
    const { engine, clock } = await open(newStore(), { sagas: [visit] });
    await appendTo(engine, 'visit-1', 'Scribbled');
    await happens(engine, 'Rang', { visit: '1' });
    await happens(engine, 'Rang', { visit: '2' });
    const faults = async () => {
      clock.advance(hourMs);
      return (await engine.consumers.status()).flatMap(({ slots }) => slots.map(({ fault }) => fault));
    };
    const fault = { position: 2, reason: expect.stringContaining('no step of a saga') };
    await expect.poll(faults).toContainEqual(expect.objectContaining(fault));
    await engine.consumers.skip('visit', 2, { reason: 'scribbled' });
    await engine.settled();
    expect((await engine.saga(visit, '2').state()).status).toBe('running');
    await expect(engine.saga(visit, '1').state()).rejects.toMatchObject({ code: 'saga_refused' });
  });
});
