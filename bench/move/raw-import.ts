/** raw-import.ts FILE STORE: what parsing lines of JSON and inserting rows takes at least, without any checks. */
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';

const [file = '', store = ''] = process.argv.slice(2);
const rowsPerTransaction = 4_096;

using db = new DatabaseSync(store);
db.exec('pragma journal_mode = wal; pragma synchronous = full; pragma cache_size = -32768');
db.exec('create table events (position integer primary key, stream text, version integer, time text, data blob)');
db.exec('create unique index events_by_stream on events (stream, version)');
const insert = db.prepare('insert into events (stream, version, time, data) values (?, ?, ?, ?)');

let count = 0;
for await (const line of createInterface({ input: createReadStream(file) })) {
  const { subject, version, time, data } = JSON.parse(line) as {
    subject: string;
    version: number;
    time: string;
    data: unknown;
  };
  if (count % rowsPerTransaction === 0) db.exec(count === 0 ? 'begin' : 'commit; begin');
  insert.run(subject, version, time, Buffer.from(JSON.stringify(data)));
  count += 1;
}
db.exec('commit');
