import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { toUtf8 } from '../../src/event/bytes.ts';
import { fromCloudEvent, isOurs, toCloudEvent } from '../../src/event/cloud-event.ts';
import type { CloudEventAttributes } from '../../src/event/cloud-event.ts';
import { bodyDigest, eventId } from '../../src/event/digests.ts';
import type { Draft, PortableEvent } from '../../src/event/event.ts';
import { normalizeTags } from '../../src/event/names.ts';
import { verifyRecorded } from '../../src/store/import.ts';
import { draft } from '../../src/testing/drafts.ts';

function recorded(body: Draft, recordedAt = Date.UTC(2026, 0, 2, 3, 4, 5, 6), version = 3): PortableEvent {
  const identity = { stream: 'order-7', version, recordedAt, bodyDigest: body.bodyDigest };
  return { ...body, ...identity, id: eventId(identity) };
}

/** Data and metadata as these very texts, which a schema or an import from elsewhere may have brought. */
function written(data: string, metadata = '', tags: readonly string[] = []): Draft {
  const body = { ...draft('A'), data: toUtf8(data), metadata: toUtf8(metadata), tags: normalizeTags(tags) };
  return { ...body, bodyDigest: bodyDigest(body) };
}

/** Without the differences between kinds of byte arrays. */
function plain(event: PortableEvent): object {
  const entries = Object.entries(event).map(([name, value]: [string, unknown]) => [
    name,
    value instanceof Uint8Array ? [...value] : value,
  ]);
  return Object.fromEntries(entries) as object;
}

function parse(line: string): CloudEventAttributes {
  return JSON.parse(line) as CloudEventAttributes;
}

test('is a CloudEvent whose data anybody can read', () => {
  const event = recorded(draft('OrderPlaced', { data: { total: 20 }, metadata: { actor: 'Ada' }, tags: ['b', 'a'] }));
  const attributes = parse(toCloudEvent(event, '/shop'));
  expect(attributes).toEqual({
    specversion: '1.0',
    id: Buffer.from(event.id).toString('hex'),
    source: '/shop',
    type: 'OrderPlaced',
    subject: 'order-7',
    time: '2026-01-02T03:04:05.006Z',
    datacontenttype: 'application/json',
    eventsrc: 1,
    version: 3,
    schemaversion: 1,
    tags: '["a","b"]',
    metadata: '{"actor":"Ada"}',
    data: { total: 20 },
  });
  expect(isOurs(attributes)).toBe(true);
  for (const name of Object.keys(attributes)) expect(name).toMatch(/^([a-z0-9]{1,20}|data_base64)$/);
});

const text = fc.string({ unit: 'binary' }).filter((value) => value.isWellFormed());
const tag = text.filter((value) => value !== '' && !/\p{Cc}/u.test(value));

test('comes back as it was, whatever it holds, also after a tool wrote the line anew', () => {
  const bodies = fc.record({
    data: fc.oneof(
      fc.jsonValue().map((value) => JSON.stringify(value)),
      fc.json(),
      fc.constant('-0'),
    ),
    metadata: fc.dictionary(text, text).map((value) => (Object.keys(value).length === 0 ? '' : JSON.stringify(value))),
    tags: fc.array(tag, { maxLength: 4 }),
    recordedAt: fc.maxSafeNat(),
    version: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
  });
  fc.assert(
    fc.property(bodies, ({ data, metadata, tags, recordedAt, version }) => {
      const event = recorded(written(data, metadata, tags), recordedAt, version);
      const line = toCloudEvent(event, 'eventsrc');
      expect(line).not.toContain('\n');
      for (const seen of [line, JSON.stringify(Object.fromEntries(Object.entries(parse(line)).reverse()))]) {
        const back = fromCloudEvent(parse(seen));
        verifyRecorded(back);
        expect(plain(back)).toEqual(plain(event));
        expect(toCloudEvent(back, 'eventsrc')).toBe(line);
      }
    }),
    { numRuns: 500 },
  );
});

test.each([
  '{"a": 1}',
  '1.0',
  '{"a":1,"a":2}',
  '"\\u0041"',
  '"\\ud800"',
  '1e400',
  '[\n1]',
  '['.repeat(600) + ']'.repeat(600),
])('keeps the bytes of %s, which JSON would write differently', (data) => {
  const event = recorded(written(data));
  expect(plain(fromCloudEvent(parse(toCloudEvent(event, 'eventsrc'))))).toEqual(plain(event));
});

describe('what was altered', () => {
  const line = toCloudEvent(recorded(draft('A', { data: { amount: 1 }, metadata: { a: 1 }, tags: ['x'] })), 'eventsrc');
  const changes: readonly [string, unknown][] = [
    ['id', '0'.repeat(64)],
    ['type', 'B'],
    ['subject', 'order-8'],
    ['time', '2026-01-02T03:04:05.007Z'],
    ['version', 4],
    ['schemaversion', 2],
    ['tags', '["y"]'],
    ['metadata', '{"a":2}'],
    ['data', { amount: 2 }],
  ];
  test.each(changes)('shows where %s is another', (name, value) => {
    const event = fromCloudEvent({ ...parse(line), [name]: value });
    expect(() => verifyRecorded(event)).toThrow(expect.objectContaining({ code: 'import_refused' }));
  });

  const broken: readonly [string, unknown][] = [
    ['eventsrc', 2],
    ['id', 'abc'],
    ['type', 7],
    ['subject', undefined],
    ['time', 'yesterday'],
    ['version', 1.5],
    ['version', '3'],
    ['schemaversion', 0],
    ['tags', 'a,b'],
    ['tags', '[1]'],
    ['metadata', { a: 1 }],
    ['data', undefined],
  ];
  test.each(broken)('is refused where %s is not as it must be', (name, value) => {
    expect(() => fromCloudEvent({ ...parse(line), [name]: value })).toThrow(
      expect.objectContaining({ code: 'import_refused' }),
    );
  });
});

test('the source is not part of the event, and other CloudEvents are not ours', () => {
  const event = recorded(draft('A'));
  expect(fromCloudEvent(parse(toCloudEvent(event, 'a')))).toEqual(fromCloudEvent(parse(toCloudEvent(event, 'b'))));
  expect(isOurs({ specversion: '1.0', id: '1', source: '/x', type: 'A', version: 1 })).toBe(false);
});
