import { describe, expect, test } from 'vitest';
import { parseRawDiff } from '../../examples/git-history/raw-diff.ts';
import type { CommitDiff } from '../../examples/git-history/raw-diff.ts';
import { splitRecords } from '../../examples/git-history/records.ts';

const [first, second] = ['1'.repeat(40), '2'.repeat(40)];
const [zero, oid] = ['0'.repeat(40), 'a'.repeat(40)];

async function* chunksOf(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let start = 0; start < bytes.length; start += size) yield bytes.subarray(start, start + size);
}

async function parse(text: string, chunkSize = 1_000): Promise<readonly CommitDiff[]> {
  return await Array.fromAsync(parseRawDiff(splitRecords(chunksOf(Buffer.from(text, 'latin1'), chunkSize), 0)));
}

const output = [
  first,
  `:000000 100644 ${zero} ${oid} A`,
  'new',
  `:100644 100755 ${oid} ${oid} M`,
  'executable',
  `:100644 120000 ${oid} ${oid} T`,
  'link',
  `:160000 000000 ${oid} ${zero} D`,
  'submodule',
  second,
  `:000000 100644 ${zero} ${oid} A`,
  // Names that could be taken for something else.
  `:000000 100644 ${zero} ${oid} A`,
  `:000000 100644 ${zero} ${oid} A`,
  first,
  `:000000 100644 ${zero} ${oid} A`,
  '\xff\n"',
  first,
  '',
].join('\0');

describe('what git diff-tree prints', () => {
  test.each([1, 2, 7, 64, 1_000])('is understood when it comes in pieces of %i bytes', async (size) => {
    expect(await parse(output, size)).toEqual([
      {
        id: first,
        changes: [
          { kind: 'added', path: 'new', mode: '100644', oid },
          { kind: 'modified', path: 'executable', mode: '100755', oid },
          { kind: 'modified', path: 'link', mode: '120000', oid },
          { kind: 'deleted', path: 'submodule' },
        ],
      },
      {
        id: second,
        changes: [
          { kind: 'added', path: `:000000 100644 ${zero} ${oid} A`, mode: '100644', oid },
          { kind: 'added', path: first, mode: '100644', oid },
          { kind: 'added', path: '\xff\n"', mode: '100644', oid },
        ],
      },
      { id: first, changes: [] },
    ]);
  });

  test('may be nothing', async () => {
    expect(await parse('')).toEqual([]);
  });

  test.each([
    ['in the middle of a record', `${first}\0:000000 1006`],
    ['before a path', `${first}\0:000000 100644 ${zero} ${oid} A\0`],
  ])('is refused when it ends %s', async (_, text) => {
    await expect(parse(text)).rejects.toThrow(/in the middle of a record|is not understood/);
  });

  test.each([
    `:000000 100644 ${zero} ${oid} A\0new\0`,
    'warning: hello\0',
    `${first}\0:100644 100644 ${oid} ${oid} R100\0a\0`,
  ])('is refused when it is %j', async (text) => {
    await expect(parse(text)).rejects.toThrow('is not understood');
  });

  test('yields no commit whose end may be missing', async () => {
    async function* breaksOff(): AsyncGenerator<Buffer> {
      yield Buffer.from(`${first}\0${second}\0:000000 100644 ${zero} ${oid} A\0new\0`);
      throw new Error('killed');
    }
    const seen: string[] = [];
    const reading = (async () => {
      for await (const { id } of parseRawDiff(splitRecords(breaksOff(), 0))) seen.push(id);
    })();
    await expect(reading).rejects.toThrow('killed');
    expect(seen).toEqual([first]);
  });
});
