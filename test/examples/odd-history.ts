import type { WrittenChange } from './history-writer.ts';
import { HistoryWriter } from './history-writer.ts';

/** Parts of paths that have been trouble somewhere. */
const oddNames: readonly (string | Buffer)[] = [
  'a',
  'b',
  'src',
  'with space',
  ' ',
  '"quoted"',
  "it's",
  'back\\slash',
  'tab\there',
  'new\nline',
  'bell\x07 \x01\x1f\x7f',
  'é',
  'e\u0301',
  '\ufeffmark',
  'next\u0085line',
  '🍅 味噌',
  Buffer.from([0xff, 0xfe, 0x61]),
  Buffer.from([0xc3]),
  // A surrogate, which UTF-8 may not encode.
  Buffer.from([0xed, 0xa0, 0x80]),
  'sha256:0123',
  `sha256:${'ab'.repeat(32)}`,
  '-rf',
  '*.ts',
  ':(top)x',
  '%00',
  'long-'.repeat(50),
];

/** Some of one name with several addresses, or of one address with several names; one is no UTF-8. */
const oddAuthors: readonly (string | Buffer)[] = [
  'Ada Ahlgren <ada@example.org>',
  'Ada Ahlgren <ada@home.example>',
  'ada ahlgren <ada@example.org>',
  'Ada  Ahlgren <ada@example.org>',
  ' <>',
  'Nobody <>',
  ' <nobody@example.org>',
  'Zoë 🍅 Ō <zoë@example.org>',
  'Dwayne "the \\ Rock" O\'Brien, Jr. <d,o@example.org>',
  'Bell\x07 tab\there \x1b[31m <b@example.org>',
  'sha256:0123 <s@example.org>',
  `${'long '.repeat(500)}<l@example.org>`,
  Buffer.from('Zo\xeb <latin@example.org>', 'latin1'),
];

/** A small generator of numbers (mulberry32), so that a failing history can be made again from its seed. */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

/**
 * A random history: odd authors; odd names nested in one another, up to more than 1,024 bytes; every mode, and changes between them;
 * files that become folders and folders that become files; deletions; empty commits; side branches, merged with and
 * without changes of the merge's own.
 */
export function oddHistory(seed: number, commits: number): HistoryWriter {
  const below = random(seed);
  const writer = new HistoryWriter();
  const used: Buffer[] = [];
  let authored = 0;
  const author = () => oddAuthors[authored++ % oddAuthors.length] ?? '';

  const path = (): Buffer => {
    const known = used[below(used.length + 1)];
    if (known !== undefined && below(2) === 0) return known;
    const depth = below(10) === 0 ? 6 : 1 + below(3);
    const parts = Array.from({ length: depth }, () => Buffer.from(oddNames[below(oddNames.length)] ?? 'a'));
    const made = Buffer.concat(parts.flatMap((part, index) => (index === 0 ? [part] : [Buffer.from('/'), part])));
    used.push(made);
    return made;
  };
  const change = (): WrittenChange => {
    const content = `content ${below(1_000)}`;
    switch (below(7)) {
      case 0:
        return { path: path(), mode: 'deleted' };
      case 1:
        return { path: path(), mode: '100755', content };
      case 2:
        return { path: path(), mode: '120000', content };
      case 3:
        return { path: path(), mode: '160000', oid: `${below(10)}`.repeat(40) };
      default:
        return { path: path(), mode: '100644', content };
    }
  };

  let tip = writer.commit({ author: author(), changes: Array.from({ length: below(20) }, change) });
  for (let index = 1; index < commits; index++) {
    const changes = Array.from({ length: below(6) }, change);
    if (below(5) === 0) {
      const side = writer.commit({ author: author(), changes: [change()], branch: 'side', parents: [tip] });
      tip = writer.commit({ author: author(), changes, parents: [tip, side] });
    } else {
      tip = writer.commit({ author: author(), changes, parents: [tip] });
    }
  }
  return writer;
}
