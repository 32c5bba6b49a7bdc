/** What a config says of a system, as plain data. */
import { writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { modelOf } from '../../src/cli/config-model.ts';
import {
  activity,
  defineAggregate,
  defineDecision,
  defineProjection,
  defineReactor,
  defineSaga,
  versions,
} from '../../src/index.ts';
import { schemaCatalogue } from '../../src/schema/catalogue.ts';
import { declaredTypes } from '../../src/schema/declared.ts';
import { schemaVerdicts } from '../../src/schema/verdict.ts';
import { temporaryFolder } from '../support/temporary.ts';

const note = z.object({ text: z.string() });

const order = defineAggregate({
  name: 'order',
  events: {
    Placed: versions(note).next(note.extend({ total: z.number() }), { up: (data) => ({ ...data, total: 0 }) }),
    Noted: z.object({ text: z.string() }),
  },
  retired: {
    Renamed: { schema: z.object({ to: z.string() }), as: ({ to }) => ({ type: 'Noted', data: { text: to } }) },
  },
  initialState: 0,
  evolve: { Placed: (count) => count + 1, Noted: (count) => count },
  commands: { note: { input: note, decide: (_, data) => [{ type: 'Noted', data }] } },
});
const audit = defineDecision({
  name: 'audit',
  events: { ...order.events, Audited: note },
  input: note,
  query: () => [],
  initialState: 0,
  evolve: { Placed: (count) => count + 1, Noted: 'ignore', Audited: 'ignore' },
  decide: () => [],
});
const notes = defineProjection({
  name: 'notes',
  version: 3,
  from: [order],
  key: (event) => event.aggregateId,
  initial: { text: '' },
  on: { Placed: 'ignore', Noted: (_, { data }) => data },
});
const mails = defineReactor({
  name: 'mails',
  from: [order],
  startAt: 'now',
  on: { Placed: () => {}, Noted: 'ignore' },
});
const charge = activity({ name: 'charge', input: note, output: note });
const payment = defineSaga({
  name: 'payment',
  events: { Placed: order.events.Placed, Confirmed: note },
  startsOn: 'Placed',
  startAt: 'now',
  id: (event) => event.aggregateId,
  activities: { charge },
  initialState: 0,
  evolve: (state) => state,
  next: () => [],
});

const registered = {
  ...{ owner: 'hall', type: 'Opened', version: 2, vendor: 'zod', shape: null, fingerprint: null, registeredAt: 7 },
};

function modelIn(folder: string) {
  const config = {
    ...{ folder, aggregates: [order], decisions: [audit], projections: [notes], reactors: [mails], sagas: [payment] },
  };
  const declared = declaredTypes(config.aggregates, config.decisions);
  const verdicts = schemaVerdicts(declared, [registered], {});
  return modelOf(config, schemaCatalogue({ declared, registered: [registered], verdicts }));
}

test('a config says which commands, events, views and sagas there are', async () => {
  const folder = await temporaryFolder();
  const { events, ...model } = modelIn(folder);
  const [placed, noted] = ['Placed', 'Noted'].map((type) => ({ owner: 'order', type }));
  const audited = { owner: '', type: 'Audited' };
  expect(model).toEqual({
    ...{ title: basename(folder), version: '0.0.0' },
    aggregates: [
      { name: 'order', commands: [{ name: 'note', input: expect.objectContaining({ required: ['text'] }) }] },
    ],
    decisions: [{ name: 'audit', input: expect.anything(), reads: [placed], events: [placed, noted, audited] }],
    views: [
      { name: 'notes', version: 3, kind: 'projection', from: ['order'], handles: [noted] },
      { name: 'mails', version: 1, kind: 'reactor', from: ['order'], handles: [placed] },
    ],
    sagas: [
      {
        ...{ name: 'payment', version: 1, activities: ['charge'], children: [], startsOn: [placed] },
        handles: [placed, { owner: '', type: 'Confirmed' }],
      },
    ],
  });
  const cast = { schema: expect.anything(), fingerprint: expect.stringMatching(/^[0-9a-f]{64}$/), down: false };
  expect(events).toEqual([
    {
      ...{ owner: 'order', type: 'Placed', newest: 2, retired: false },
      versions: [
        { ...cast, version: 1, up: false },
        { ...cast, version: 2, up: true },
      ],
    },
    { ...noted, newest: 1, retired: false, versions: [{ ...cast, version: 1, up: false }] },
    { owner: 'order', type: 'Renamed', newest: 1, retired: true, versions: [{ ...cast, version: 1, up: false }] },
    { ...audited, newest: 1, retired: false, versions: [{ ...cast, version: 1, up: false }] },
    // Of which the store alone knows.
    {
      ...{ owner: 'hall', type: 'Opened', newest: 2, retired: false },
      versions: [{ version: 2, registeredAt: 7, up: false, down: false }],
    },
  ]);
});

test.each([
  [
    '{"name": "shop", "version": "1.2.3", "description": "Sells."}',
    { title: 'shop', version: '1.2.3', description: 'Sells.' },
  ],
  ['{"private": true}', { version: '0.0.0' }],
  ['no JSON', { version: '0.0.0' }],
])('a system is called what its package is: %s', async (text, expected) => {
  const folder = await temporaryFolder();
  writeFileSync(join(folder, 'package.json'), text);
  expect(modelIn(folder)).toMatchObject({ title: basename(folder), ...expected });
});
