/**
 * Appends to FILE until it is killed, several appends in flight, and prints each as soon as it is acknowledged:
 * the stream, first version and position of each write, and the name under which all events of the append go.
 */
import { writeSync } from 'node:fs';
import { openLog } from 'eventsrc';
import { sqlite } from 'eventsrc/sqlite';

const [file = '', run = ''] = process.argv.slice(2);
const log = await openLog({ store: sqlite(file), limits: { eventsPerStream: Infinity } });
let count = 0;

async function appendForever(writer: number): Promise<void> {
  for (;;) {
    const name = `${run}-${count++}`;
    const sizes = [1 + (count % 3), count % 5 === 0 ? 2 : 0].filter((size) => size > 0);
    const total = sizes.reduce((sum, size) => sum + size, 0);
    const result = await log.append(
      sizes.map((size, index) => ({
        stream: index === 0 ? `writer-${writer}` : 'writer-all',
        events: Array.from({ length: size }, () => ({
          type: 'Appended',
          data: { name, total, padding: 'x'.repeat(count % 400) },
          tags: [`run:${run}`],
        })),
      })),
    );
    if (result.kind !== 'appended') throw new Error(result.kind);
    // Straight into the pipe: what a buffer of this process holds would die with it.
    const events = result.events.map(({ stream, version, position, id }) => [stream, version, position, id, name]);
    writeNow(`${JSON.stringify(events)}\n`);
  }
}

/** Whoever reads may be slow: then the pipe has no room for a moment. */
function writeNow(text: string): void {
  for (let left = Buffer.from(text); left.length > 0;) {
    try {
      left = left.subarray(writeSync(1, left));
    } catch (error) {
      if ((error as { code?: unknown }).code !== 'EAGAIN') throw error;
    }
  }
}

await Promise.all(Array.from({ length: 8 }, (_, writer) => appendForever(writer)));
