import { statSync } from 'node:fs';
import type { EventLog } from '../../store/log.ts';
import type { StreamHead } from '../../store/port.ts';
import { action, defineCommand } from '../define.ts';
import { bytesText, numberText, timeText } from '../moment-text.ts';
import { withProgress } from '../progress.ts';
import { sagaStreams } from '../saga-streams.ts';
import type { Session } from '../session.ts';
import { Table } from '../table.ts';

interface Options {
  readonly types?: boolean;
}

interface TypeCount {
  readonly type: string;
  readonly events: number;
  readonly bytes: number;
}

/** What is near its limit, from 80 % of it. */
export interface NearLimit {
  readonly limit: string;
  readonly subject: string;
  readonly value: number;
  readonly max: number;
}

const shownMax = 5;
const spansMs = { minute: 60_000, hour: 3_600_000, day: 86_400_000, '30 days': 30 * 86_400_000 };

const definition = defineCommand({
  usage: 'stats',
  summary: 'print how much there is',
  does: 'Print how much there is: events, streams, bytes, how fast they come, and which limits are near.',
  examples: [
    ['stats', 'at a glance'],
    ['stats --types', 'also how many events there are of each type: reads all of them'],
  ],
}).option('--types', 'count the events of each type');

export const stats = action<[], Options>(definition, async (session, { types = false }) => {
  const { terminal } = session;
  await using log = await session.openLog('existing');
  const { position: events, streamCount, recordedAt } = await log.head();
  const { deleted, largest } = await surveyStreams(session, log);
  const rates = await recordedLately(log, events);
  const sagas = await sagaStreams(log);
  const limitsNear = nearLimits(log, streamCount - sagas, largest);
  const counts = types ? await countTypes(session, log, events) : undefined;
  const bytes = await fileBytes(session);
  if (terminal.isJson) {
    const lastRecordedAt = events === 0 ? null : recordedAt;
    const streams = { streams: streamCount, deletedStreams: deleted, sagaStreams: sagas };
    const facts = { events, ...streams, bytes, lastRecordedAt, rates, largest };
    return terminal.printJson({ ...facts, limitsNear, ...(counts !== undefined && { types: counts }) });
  }
  await terminal.printFacts({
    events: numberText(events),
    streams: [
      numberText(streamCount),
      ...(deleted > 0 ? [`${numberText(deleted)} of them deleted`] : []),
      ...(sagas > 0 ? [`${numberText(sagas)} of them of sagas`] : []),
    ].join(', '),
    ...(bytes !== null && {
      size: `${bytesText(bytes)}${events > 0 ? `, ${bytesText(Math.round(bytes / events))} an event` : ''}`,
    }),
    ...(events > 0 && { 'last event': timeText(recordedAt) }),
    ...Object.fromEntries(
      Object.entries(rates).map(([span, count]) => [`last ${span}`, `${numberText(count)} events`]),
    ),
    ...Object.fromEntries(
      largest.map(({ stream, version }, index) => [`largest ${index + 1}`, `${stream}, ${numberText(version)} events`]),
    ),
    'limits near':
      limitsNear.map(({ limit, subject, value, max }) => `${subject}: ${value} of ${limit} = ${max}`).join('; ') ||
      'none',
  });
  if (counts !== undefined) await typeTable(session).print(counts);
});

/** One walk over all streams. */
export async function surveyStreams(
  { signal }: Session,
  log: EventLog,
): Promise<{ readonly deleted: number; readonly largest: readonly StreamHead[] }> {
  let deleted = 0;
  let largest: readonly StreamHead[] = [];
  let after: string | undefined;
  for (;;) {
    signal.throwIfAborted();
    const page = await log.streams({ after, limit: 1_000 });
    if (page.length === 0) return { deleted, largest };
    deleted += page.filter((head) => head.deleted).length;
    largest = [...largest, ...page].sort((a, b) => b.version - a.version).slice(0, shownMax);
    after = page.at(-1)?.stream;
  }
}

/** Positions have no gaps: the first event of a span tells how many there are. */
async function recordedLately(log: EventLog, events: number): Promise<Readonly<Record<string, number>>> {
  const now = Date.now();
  const counts = Object.entries(spansMs).map(async ([span, ms]) => {
    for await (const [first] of log.readRecorded({ recordedFrom: now - ms, limit: 1 }))
      if (first !== undefined) return [span, Math.max(events - first.position + 1, 0)];
    return [span, 0];
  });
  return Object.fromEntries(await Promise.all(counts)) as Record<string, number>;
}

export function nearLimits(
  { limits }: EventLog,
  streamCount: number,
  largest: readonly StreamHead[],
): readonly NearLimit[] {
  const values = [
    { limit: 'streams', subject: 'the store', value: streamCount, max: limits.streams },
    ...largest.map(({ stream, hotCount }) => {
      return { limit: 'eventsPerStream', subject: stream, value: hotCount, max: limits.eventsPerStream };
    }),
  ];
  return values.filter(({ value, max }) => value >= max * 0.8);
}

async function countTypes({ terminal, signal }: Session, log: EventLog, total: number): Promise<readonly TypeCount[]> {
  const counts = new Map<string, TypeCount>();
  let done = 0;
  await withProgress(terminal, async (progress) => {
    for await (const page of log.readRecorded({ until: total, pageSize: 1_024 }, signal)) {
      for (const { type, data, metadata } of page) {
        const { events = 0, bytes = 0 } = counts.get(type) ?? {};
        counts.set(type, { type, events: events + 1, bytes: bytes + data.length + metadata.length });
      }
      done += page.length;
      progress({ title: 'counting', what: 'events', done, total });
    }
  });
  return [...counts.values()].sort((a, b) => b.events - a.events);
}

function typeTable({ terminal }: Session): Table<TypeCount> {
  return new Table(terminal, [
    { title: 'type', value: ({ type }) => type, style: 'bold' },
    { title: 'events', value: ({ events }) => events },
    { title: 'bytes of data and metadata', value: ({ bytes }) => bytes },
  ]);
}

/** Of the file and its log; null where there is none. */
async function fileBytes(session: Session): Promise<number | null> {
  const location = await session.location();
  if (!('kind' in location) || location.kind !== 'sqlite') return null;
  const sizes = [location.file, `${location.file}-wal`].map(
    (file) => statSync(file, { throwIfNoEntry: false })?.size ?? 0,
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}
