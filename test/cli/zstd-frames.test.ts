import { constants, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ZstdFrames } from '../../src/cli/transfer/zstd-frames.ts';

function isComplete(bytes: Uint8Array, chunkBytes = bytes.length): boolean {
  const frames = new ZstdFrames();
  for (let start = 0; start < bytes.length; start += chunkBytes) frames.add(bytes.subarray(start, start + chunkBytes));
  return frames.isComplete;
}

const options = fc.record({
  [constants.ZSTD_c_checksumFlag]: fc.constantFrom(0, 1),
  [constants.ZSTD_c_contentSizeFlag]: fc.constantFrom(0, 1),
});

test('zstd data is complete at the ends of its frames and nowhere else', () => {
  const frame = fc
    .tuple(fc.uint8Array({ maxLength: 300 }), options, fc.constantFrom(0, 1, 200_000))
    // Random bytes, and runs of one byte, which are blocks of another kind, more than one of them.
    .map(([bytes, params, zeros]) => zstdCompressSync(Buffer.concat([bytes, Buffer.alloc(zeros)]), { params }));
  // https://www.rfc-editor.org/rfc/rfc8878.html#section-3.1.2
  const skippable = fc.uint8Array({ maxLength: 20 }).map((bytes) => {
    return Buffer.concat([Buffer.from([0x5a, 0x2a, 0x4d, 0x18, bytes.length, 0, 0, 0]), bytes]);
  });
  fc.assert(
    fc.property(
      fc.array(fc.oneof(frame, skippable), { minLength: 1, maxLength: 3 }),
      fc.integer({ min: 1, max: 50 }),
      (parts, chunkBytes) => {
        const all = Buffer.concat(parts);
        const ends = new Set([0]);
        for (const part of parts) ends.add(Math.max(...ends) + part.length);
        expect(isComplete(all, chunkBytes)).toBe(true);
        for (let end = 0; end <= all.length; end++)
          expect(isComplete(all.subarray(0, end)), `${end}`).toBe(ends.has(end));
      },
    ),
    { numRuns: 60 },
  );
});
