/** raw-export.ts STORE FILE: what reading the rows and writing them as lines of JSON takes at least, without any checks. */
import { createWriteStream } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

const [store = '', file = ''] = process.argv.slice(2);
const digestBytes = 32;

function* lines(): Generator<string> {
  using db = new DatabaseSync(store, { readOnly: true });
  const rows = db.prepare(
    'select position, stream, version, recorded_at, data_length, payload from events order by position',
  );
  rows.setReturnArrays(true);
  let text = '';
  for (const row of rows.iterate()) {
    const [position, stream, version, recordedAt, length, payload] = row as unknown as [
      number,
      number,
      number,
      number,
      number,
      Buffer,
    ];
    const data = Buffer.from(payload.buffer, payload.byteOffset + digestBytes, length).toString();
    text += `{"position":${position},"stream":${stream},"version":${version},"time":${recordedAt},"data":${data}}\n`;
    if (text.length < 65_536) continue;
    yield text;
    text = '';
  }
  yield text;
}

await pipeline(Readable.from(lines()), createWriteStream(file));
