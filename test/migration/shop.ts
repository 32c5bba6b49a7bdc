/** A store that is to be migrated, and what is in stores. */
import { memory, migrateLog, openLog } from 'eventsrc';
import type { Backend, EventLog, Migration, MigrationOptions, MigrationRecord, Receipt, Recorded } from 'eventsrc';

export const receipt = (
  key: string,
  outcome: unknown = key,
): { key: string; commandDigest: Uint8Array; outcome: Uint8Array; expiresAt: null } => ({
  key,
  commandDigest: new Uint8Array(32),
  outcome: new TextEncoder().encode(JSON.stringify(outcome)),
  expiresAt: null,
});

/** Events in three streams, one of them deleted and begun again, with a receipt each. */
export async function fill(log: EventLog, from: number, count: number): Promise<void> {
  for (let index = from; index < from + count; index++) {
    const type = index % 10 === 4 ? '$deleted' : index % 2 === 0 ? 'Priced' : 'Noted';
    const stream = `order-${index % 3}`;
    const isDeleted = (await log.heads([stream]))[0]?.deleted === true;
    const event = { type, data: { index, euros: index / 2 }, metadata: { actor: 'Ada' }, tags: [`t${index % 7}`] };
    await log.append([{ stream, expected: isDeleted ? 'deleted' : 'any', events: [event] }], {
      receipt: receipt(`key ${index}`),
    });
  }
}

export const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

export async function eventsOf(log: EventLog): Promise<readonly Recorded[]> {
  const events: Recorded[] = [];
  for await (const page of log.readRecorded()) events.push(...page);
  return events;
}

/** All of a store, byte for byte. */
export async function contents(log: EventLog): Promise<{ events: readonly unknown[]; receipts: readonly unknown[] }> {
  const receipts: Receipt[] = [];
  for await (const page of log.receipts()) receipts.push(...page);
  return {
    events: (await eventsOf(log)).map((event) => [
      ...[hex(event.id), event.position, event.stream, event.version, event.type, event.schemaVersion],
      ...[event.recordedAt, hex(event.data), hex(event.metadata), event.tags],
    ]),
    receipts: receipts.map(({ key, outcome, recordedAt, position }) => [key, hex(outcome), recordedAt, position]),
  };
}

/** Short: `order-1@2 Noted {"index":1}` */
export async function shortly(log: EventLog): Promise<readonly string[]> {
  return (await eventsOf(log)).map(
    ({ stream, version, type, data }) => `${stream}@${version} ${type} ${new TextDecoder().decode(data)}`,
  );
}

export function recorder(): {
  entries: MigrationRecord[];
  record: (entries: readonly MigrationRecord[]) => void;
} {
  const entries: MigrationRecord[] = [];
  return { entries, record: (more) => void entries.push(...more) };
}

export const open = (store: Backend = memory()): Promise<EventLog> => openLog({ store });

/** A few events, in streams of their own names. */
export async function small(): Promise<EventLog> {
  const log = await open();
  for (const [stream, type] of [
    ['a-1', 'A'],
    ['b-1', 'B'],
    ['a-1', 'C'],
    ['b-1', 'D'],
    ['a-1', '$deleted'],
  ] as const)
    await log.append([
      { stream, events: [{ type, data: { type }, metadata: { actor: 'Ada' }, tags: ['t', type === 'A' ? 'a' : 'x'] }] },
    ]);
  return log;
}

/** What a function makes of these. */
export async function migrated(migrate: Migration, options: MigrationOptions = {}): Promise<readonly string[]> {
  await using from = await small();
  await using to = await open();
  await migrateLog(from, to, migrate, options);
  return shortly(to);
}
