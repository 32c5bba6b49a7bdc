import { requireSqlite } from '../../sqlite/connection.ts';
import { verify } from '../../sqlite/index.ts';
import { inspectFile } from '../../sqlite/inspect.ts';
import type { FileFacts } from '../../sqlite/inspect.ts';
import { action, defineCommand } from '../define.ts';
import { consumersOf } from '../definitions.ts';
import { exitCodes, explain } from '../failure.ts';
import { bytesText, numberText, timeText } from '../moment-text.ts';
import { withProgress } from '../progress.ts';
import { sagaStreams } from '../saga-streams.ts';
import type { Session } from '../session.ts';
import { storeName } from '../session.ts';
import { Table } from '../table.ts';
import { packageVersion } from '../package-root.ts';
import { nearLimits, surveyStreams } from './stats.ts';

interface Options {
  readonly deep?: boolean;
}

/** One thing that was looked at. */
interface Finding {
  readonly check: string;
  readonly state: 'ok' | 'warning' | 'failed';
  readonly found: string;
  /** What to do about it. */
  readonly remedy?: string;
}

const definition = defineCommand({
  usage: 'doctor',
  summary: 'look at what a store depends on',
  does: 'Look at what a store depends on: versions, file, permissions, disk, clock, limits. Exits with 1 if something is wrong.',
  examples: [
    ['doctor', 'takes a moment'],
    ['doctor --deep', 'also reads and verifies every event'],
  ],
}).option('--deep', 'verify everything in the file');

export const doctor = action<[], Options>(definition, async (session, { deep = false }) => {
  const { terminal } = session;
  const table = new Table<Finding>(terminal, [
    { title: 'check', value: ({ check }) => check },
    { title: 'state', value: ({ state }) => (terminal.isRich ? `${marks[state]} ${state}` : state) },
    { title: 'found', value: ({ found, remedy }) => (remedy === undefined ? found : `${found}. ${remedy}`) },
  ]);
  const found: Finding[] = [];
  for await (const finding of findings(session, deep)) found.push(finding);
  await table.print(found);
  return found.some((finding) => finding.state === 'failed') ? exitCodes.failed : exitCodes.done;
});

const marks = { ok: '✔', warning: '!', failed: '✘' };

async function* findings(session: Session, deep: boolean): AsyncGenerator<Finding> {
  yield* versionFindings();
  yield await configFinding(session);
  const location = await session.location();
  if ('kind' in location && location.kind === 'sqlite') {
    const facts = inspectFile(location.file);
    yield* fileFindings(location.file, facts);
    if (!facts.exists) return;
  }
  yield* storeFindings(session, storeName(location));
  if (deep && 'kind' in location && location.kind === 'sqlite') yield await deepFinding(session, location.file);
}

function* versionFindings(): Generator<Finding> {
  yield ok('eventsrc', packageVersion);
  yield ok('Node.js', process.versions.node);
  const sqlite = process.versions['sqlite'] ?? 'unknown';
  try {
    requireSqlite(sqlite);
    yield ok('SQLite', sqlite);
  } catch (error) {
    yield failed('SQLite', error);
  }
}

async function configFinding(session: Session): Promise<Finding> {
  try {
    const config = await session.config();
    const { file, aggregates = [], decisions = [] } = config;
    if (file === undefined) return ok('config', 'none in this folder');
    const counts = `${aggregates.length} aggregates, ${decisions.length} decisions`;
    return ok('config', `${file}: ${counts}, ${consumersOf(config).length} projections, tables, reactors and sagas`);
  } catch (error) {
    return failed('config', error);
  }
}

/** What a disk should have left, besides room for a copy of the store. */
const spareBytes = 256 * 1024 * 1024;

function* fileFindings(file: string, facts: FileFacts): Generator<Finding> {
  const { exists, kind, readable, writable, folderWritable, freeBytes, bytes, logBytes } = facts;
  if (!exists) {
    yield bad('file', `${file} does not exist`, 'It is made by the first eventsrc append, execute or import.');
    return;
  }
  const size = `${bytesText(bytes)}${logBytes > 0 ? `, ${bytesText(logBytes)} of log` : ''}`;
  if (kind === 'a store' || kind === 'empty') yield ok('file', `${file}, ${size}`);
  else yield bad('file', `${file} is ${kind}`, 'Name another file, or update eventsrc.');
  const rights = { readable, writable, 'folder writable': folderWritable };
  const missing = Object.entries(rights).flatMap(([name, given]) => (given ? [] : [`not ${name}`]));
  yield missing.length === 0
    ? ok('permissions', Object.keys(rights).join(', '))
    : bad('permissions', missing.join(', '), 'Give this user the right to read and write the file and its folder.');
  if (kind === 'a store') {
    yield facts.journalMode === 'wal'
      ? ok('journal mode', 'wal')
      : warning('journal mode', facts.journalMode, 'It is a backup: restore it before you write to it.');
  }
  yield freeBytes < bytes + spareBytes
    ? warning('disk', `${bytesText(freeBytes)} free`, 'There is little room for growth or a backup: free some space.')
    : ok('disk', `${bytesText(freeBytes)} free`);
  if (facts.isNetworked)
    yield warning(
      'file system',
      'on the network',
      'Its locks cannot be relied on: keep the store on a disk of this machine.',
    );
}

async function* storeFindings(session: Session, name: string): AsyncGenerator<Finding> {
  try {
    await using log = await session.openLog('existing');
    const { position, recordedAt, streamCount } = await log.head();
    yield ok('store', `${name}: ${numberText(position)} events in ${numberText(streamCount)} streams`);
    const aheadMs = recordedAt - Date.now();
    yield aheadMs > 1_000
      ? warning(
          'clock',
          `the last event is from ${timeText(recordedAt)}, ${Math.round(aheadMs / 1_000)} s from now`,
          'Set the clock: until it has caught up, new events get the time of the last one.',
        )
      : ok('clock', timeText(Date.now()));
    const { largest } = await surveyStreams(session, log);
    const near = nearLimits(log, streamCount - (await sagaStreams(log)), largest);
    for (const { limit, subject, value, max } of near)
      yield warning(
        'limits',
        `${subject}: ${numberText(value)} of ${limit} = ${numberText(max)}`,
        'Raise it in the config’s limits.',
      );
    if (near.length === 0) yield ok('limits', 'none is near');
  } catch (error) {
    session.signal.throwIfAborted();
    yield failed('store', error);
  }
}

async function deepFinding({ terminal, signal }: Session, file: string): Promise<Finding> {
  try {
    const { position } = await withProgress(terminal, (progress) =>
      verify(file, {
        signal,
        onProgress: ({ done, total }) => progress({ title: 'verifying', what: 'events', done, total }),
      }),
    );
    return ok('contents', `${numberText(position)} events, indexes and receipts verified`);
  } catch (error) {
    signal.throwIfAborted();
    return failed('contents', error);
  }
}

function ok(check: string, found: string): Finding {
  return { check, state: 'ok', found };
}

function warning(check: string, found: string, remedy: string): Finding {
  return { check, state: 'warning', found, remedy };
}

function bad(check: string, found: string, remedy: string): Finding {
  return { check, state: 'failed', found, remedy };
}

function failed(check: string, error: unknown): Finding {
  const { summary, remedy } = explain(error);
  return bad(check, summary.replace(/\.$/, ''), remedy);
}
