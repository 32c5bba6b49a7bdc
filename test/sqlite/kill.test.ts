import { join } from 'node:path';
import { openLog } from 'eventsrc';
import type { EventLog, RecordedEvent } from 'eventsrc';
import { sqlite } from 'eventsrc/sqlite';
import { expect, test } from 'vitest';
import { startProgram } from '../support/child.ts';
import { temporaryFolder } from '../support/temporary.ts';

const kills = process.env.SOAK === '1' ? 10_000 : 100;

type Acknowledged = readonly [stream: string, version: number, position: number, id: string, name: string];

async function after(log: EventLog, position: number): Promise<readonly RecordedEvent[]> {
  const events: RecordedEvent[] = [];
  for await (const page of log.read({ after: position })) events.push(...page);
  return events;
}

test(
  `a process killed ${kills} times loses nothing that it acknowledged and leaves no part of an append`,
  { timeout: kills * 2_000 },
  async () => {
    const file = join(await temporaryFolder(), 'store.db');
    const versions = new Map<string, number>();
    let head = 0;
    let acknowledgedCount = 0;
    for (let kill = 0; kill < kills; kill++) {
      const child = startProgram('appender', [file, String(kill)]);
      // Every eighth dies while it is still opening the file.
      if (kill % 8 === 0) await delay(Math.random() * 150);
      else {
        while (child.lines.length === 0) await child.nextLine();
        await delay(Math.random() * 60);
      }
      child.process.kill('SIGKILL');
      const { signal, lines, stderr } = await child.finished;
      expect(signal, stderr).toBe('SIGKILL');

      await using log = await openLog({ store: sqlite(file) });
      const events = await after(log, head);
      const found = new Map(events.map((event) => [event.position, event]));
      // A line that was cut by the kill was not acknowledged.
      const complete = lines.filter((line) => line.endsWith(']]'));
      for (const [stream, version, position, id, name] of complete.flatMap(
        (line) => JSON.parse(line) as Acknowledged[],
      )) {
        const event = found.get(position);
        expect([event?.stream, event?.version, event?.id, (event?.data as { name: string })?.name]).toEqual([
          stream,
          version,
          id,
          name,
        ]);
        acknowledgedCount += 1;
      }
      checkOrder(events, head, versions);
      checkWholeness(events);
      head += events.length;
      expect((await log.head()).position).toBe(head);
    }
    expect(acknowledgedCount).toBeGreaterThan(kills);
  },
);

test('a process killed while it makes a new store leaves a file that opens', { timeout: 600_000 }, async () => {
  const folder = await temporaryFolder();
  for (let kill = 0; kill < Math.max(12, kills / 10); kill++) {
    const file = join(folder, `${kill}.db`);
    const child = startProgram('appender', [file, String(kill)]);
    await delay(60 + Math.random() * 100);
    child.process.kill('SIGKILL');
    await child.finished;
    await using log = await openLog({ store: sqlite(file) });
    checkWholeness(await after(log, 0));
    const result = await log.append([{ stream: 'order-1', events: [{ type: 'A', data: 1 }] }]);
    expect(result.kind).toBe('appended');
  }
});

function checkOrder(events: readonly RecordedEvent[], head: number, versions: Map<string, number>): void {
  for (const [index, { position, stream, version }] of events.entries()) {
    const before = versions.get(stream) ?? 0;
    expect([position, version]).toEqual([head + index + 1, before + 1]);
    versions.set(stream, version);
  }
}

function checkWholeness(events: readonly RecordedEvent[]): void {
  const counts = new Map<string, { total: number; seen: number }>();
  for (const { data } of events) {
    const { name, total } = data as { name: string; total: number };
    const seen = counts.get(name)?.seen ?? 0;
    counts.set(name, { total, seen: seen + 1 });
  }
  for (const [name, { total, seen }] of counts) expect(seen, `events of append ${name}`).toBe(total);
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
