/** Random logs, migrated at random, against a model that keeps every stream as a list. */
import fc from 'fast-check';
import { bodyDigest, eventId, memory, migrateLog, openLog } from 'eventsrc';
import type { EventLog, Migration, MigrationRecord, Recorded } from 'eventsrc';
import { expect, test } from 'vitest';
import { eventsOf, hex, recorder } from './shop.ts';

/** What becomes of an event: each part is kept as it is, or is another event; of its own stream, or of one with a number. */
interface Part {
  readonly isKept: boolean;
  readonly stream: number | undefined;
}
type Fate = 'keep' | readonly Part[];

const part = fc.record({ isKept: fc.boolean(), stream: fc.option(fc.nat(3), { nil: undefined, freq: 3 }) });
/** Mostly kept: else hardly an id would be. */
const fate: fc.Arbitrary<Fate> = fc.oneof(
  { weight: 6, arbitrary: fc.constant('keep' as const) },
  { weight: 2, arbitrary: fc.array(part, { maxLength: 3 }) },
);
const history = fc.array(fc.record({ stream: fc.nat(3), fate }), { maxLength: 40 });
type History = readonly { readonly stream: number; readonly fate: Fate }[];

async function logOf(streams: History): Promise<EventLog> {
  const log = await openLog({ store: memory(), clock: { now: () => 7 } });
  for (const [index, { stream }] of streams.entries())
    await log.append([{ stream: `s-${stream}`, events: [{ type: 'Old', data: { index }, tags: ['t'] }] }]);
  return log;
}

function migrationOf(histories: History): Migration {
  return (event) => {
    const said = (histories[event.position - 1] as { fate: Fate }).fate;
    if (said === 'keep') return 'keep';
    return said.map(({ isKept, stream }, index) => {
      if (isKept && stream === undefined) return 'keep';
      const place = stream === undefined ? {} : { stream: `s-${stream}` };
      return isKept ? { ...event, ...place } : { type: 'New', data: { from: event.position, index }, ...place };
    });
  };
}

interface Expected {
  readonly stream: string;
  readonly version: number;
  readonly id: string;
  readonly from: number;
}

/** By the layout of ids alone. */
function modelOf(old: readonly Recorded[], histories: History): readonly Expected[] {
  const versions = new Map<string, number>();
  return old.flatMap((event) => {
    const said = (histories[event.position - 1] as { fate: Fate }).fate;
    const parts: readonly Part[] = said === 'keep' ? [{ isKept: true, stream: undefined }] : said;
    return parts.map(({ isKept, stream: number }, index) => {
      const stream = number === undefined ? event.stream : `s-${number}`;
      const version = (versions.get(stream) ?? 0) + 1;
      versions.set(stream, version);
      const data = new TextEncoder().encode(JSON.stringify({ from: event.position, index }));
      const body = isKept ? event : { ...event, type: 'New', data };
      const { recordedAt, position: from } = event;
      return { stream, version, from, id: hex(eventId({ stream, version, recordedAt, bodyDigest: bodyDigest(body) })) };
    });
  });
}

/** Where an old event is now: as the record says, else where its id is. */
function follow(event: Recorded, entries: readonly MigrationRecord[], now: readonly Recorded[]): readonly string[] {
  const entry = entries.find(({ old }) => old.id === hex(event.id));
  if (entry === undefined) return now.filter(({ id }) => hex(id) === hex(event.id)).map(({ id }) => hex(id));
  expect(entry.old).toMatchObject({ position: event.position, stream: event.stream, version: event.version });
  return entry.new.map(({ position, ...reference }) => {
    const { stream, version, id } = now[position - 1] as Recorded;
    expect(reference).toEqual({ stream, version, id: hex(id) });
    return hex(id);
  });
}

/** In each stream: those before the first one that is numbered otherwise have their ids, if they have their bodies; of those behind it, those that are numbered otherwise have others. */
function requireIds(old: readonly Recorded[], now: readonly Recorded[], model: readonly Expected[]): void {
  const ids = new Set(now.map(({ id }) => hex(id)));
  const shifted = new Set<string>();
  for (const { position, stream, version, id, type } of old) {
    const became = model.filter(({ from }) => from === position);
    const [only] = became;
    const isInPlace = became.length === 1 && only?.stream === stream && only.version === version;
    const isOther = isInPlace && now.find((event) => hex(event.id) === only.id)?.type !== type;
    if (!isInPlace) shifted.add(stream);
    if (!shifted.has(stream)) expect(ids.has(hex(id))).toBe(!isOther);
    else if (became.every((event) => event.stream !== stream || event.version !== version))
      expect(ids.has(hex(id))).toBe(false);
  }
}

test('what is written is what the model gives; ids stay up to the first event that is numbered otherwise; the record leads everywhere', async () => {
  await fc.assert(
    fc.asyncProperty(history, fc.nat(60), async (histories, cut) => {
      await using from = await logOf(histories);
      await using to = await openLog({ store: memory() });
      const migration = migrationOf(histories);
      // Sometimes it is begun again, upon a part of it.
      await using whole = await openLog({ store: memory() });
      await migrateLog(from, whole, migration);
      await to.import((await eventsOf(whole)).slice(0, cut));

      const { entries, record } = recorder();
      const result = await migrateLog(from, to, migration, { record });
      const [old, now] = [await eventsOf(from), await eventsOf(to)];
      const model = modelOf(old, histories);
      expect(now.map(({ stream, version, id }) => ({ stream, version, id: hex(id) }))).toEqual(
        model.map(({ stream, version, id }) => ({ stream, version, id })),
      );
      expect(result).toMatchObject({ events: old.length, kept: old.length - entries.length });
      for (const event of old)
        expect(follow(event, entries, now)).toEqual(
          model.filter(({ from: position }) => position === event.position).map(({ id }) => id),
        );
      requireIds(old, now, model);
    }),
    { numRuns: 150 },
  );
});
