import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { toHex, toUtf8 } from '../../src/event/bytes.ts';
import { bodyDigest, eventId } from '../../src/event/digests.ts';

interface Vector {
  readonly stream: string;
  readonly version: number;
  readonly recordedAt: number;
  readonly type: string;
  readonly schemaVersion: number;
  readonly encoding: string;
  readonly tags: readonly string[];
  readonly data: string;
  readonly metadata: string;
  readonly bodyDigest: string;
  readonly id: string;
}

const page = readFileSync(new URL('../../docs/reference/event-id.md', import.meta.url), 'utf8');
const vectors = JSON.parse(/```json\n(.*?)```/s.exec(page)?.[1] ?? '[]') as readonly Vector[];

test('the reference has vectors', () => {
  expect(vectors.length).toBeGreaterThanOrEqual(4);
});

test.each(vectors)('the digests of $type in $stream are those of the reference', (vector) => {
  const digest = bodyDigest({ ...vector, data: toUtf8(vector.data), metadata: toUtf8(vector.metadata) });
  expect(toHex(digest)).toBe(vector.bodyDigest);
  expect(toHex(eventId({ ...vector, bodyDigest: digest }))).toBe(vector.id);
});

test('what moves from one field to the next changes the digest', () => {
  const body = {
    type: 'AB',
    schemaVersion: 1,
    encoding: 'json',
    tags: ['a', 'b'],
    data: toUtf8('12'),
    metadata: toUtf8('3'),
  };
  const variants = [
    body,
    { ...body, type: 'A', encoding: 'Bjson' },
    { ...body, tags: ['ab'] },
    { ...body, tags: ['a', 'b', ''] },
    { ...body, data: toUtf8('1'), metadata: toUtf8('23') },
    { ...body, schemaVersion: 2 },
  ];
  expect(new Set(variants.map((variant) => toHex(bodyDigest(variant)))).size).toBe(variants.length);
});

test('large and small events do not disturb one another in the shared buffer', () => {
  const small = { type: 'S', schemaVersion: 1, encoding: 'json', tags: [], data: toUtf8('1'), metadata: toUtf8('') };
  const before = toHex(bodyDigest(small));
  bodyDigest({ ...small, data: new Uint8Array(1_000_000).fill(7), tags: ['x'.repeat(50_000)] });
  expect(toHex(bodyDigest(small))).toBe(before);
});
