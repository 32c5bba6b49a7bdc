import { availableParallelism } from 'node:os';
import { checkStreamName } from '../../event/names.ts';
import { checkLog, failuresDefault } from '../../schema/check-log.ts';
import type { CheckLogProgress } from '../../schema/check-log.ts';
import type { LogCheck, LogFailure } from '../../schema/log-checker.ts';
import type { EventLog } from '../../store/log.ts';
import { toQuery } from '../event-selection.ts';
import type { SelectionOptions } from '../event-selection.ts';
import { exitCodes, usageError } from '../failure.ts';
import { checkInThreads } from '../log-check.ts';
import { eventsText, numberText } from '../moment-text.ts';
import { withProgress } from '../progress.ts';
import { schemasOf } from '../schemas.ts';
import { storeName } from '../session.ts';
import type { CommonOptions, Session } from '../session.ts';
import { Table } from '../table.ts';
import type { Terminal } from '../terminal.ts';

export interface LogOptions extends SelectionOptions {
  readonly threads?: number;
  readonly limit?: number;
}

/** Looks at what is stored. @returns the exit code. @throws {CliError} */
export async function checkStored(session: Session, options: LogOptions & CommonOptions): Promise<number> {
  const { terminal } = session;
  if (options.threads === 0) throw usageError('--threads 0: nobody would do it', 'Write a number of at least 1.');
  if (options.stream !== undefined) checkStreamName(options.stream);
  const config = await session.definitions();
  await using log = await session.openLog('existing');
  // Also declares how it is read.
  await schemasOf(log, config);
  const check = await withProgress(terminal, (progress) =>
    checkAll(session, log, options, ({ done, total }) =>
      progress({ title: 'checking', what: 'positions', done, total }),
    ),
  );
  return tell(terminal, check);
}

/** Positions for which one thread is quicker than starting another one. */
const worthwhile = 200_000;

async function checkAll(
  session: Session,
  log: EventLog,
  options: LogOptions & CommonOptions,
  onProgress: (progress: CheckLogProgress) => void,
): Promise<LogCheck> {
  const { limit = failuresDefault, store, config } = options;
  const { match, after = 0, until = Infinity, stream, recordedFrom, recordedUntil } = toQuery(options);
  const query = { match, stream, recordedFrom, recordedUntil, after, limit, onProgress };
  const end = Math.min(until, (await log.head()).position);
  const { threads = Math.min(availableParallelism() - 1, Math.ceil((end - after) / worthwhile)) } = options;
  // An index gives what is selected; and of a store in memory another thread has another one.
  const isWhole = stream === undefined && match === undefined;
  const isShared = /^(sqlite|postgres)/.test(storeName(await session.location()));
  if (threads <= 1 || end <= after || !isWhole || !isShared)
    return checkLog(log, { ...query, until: end, signal: session.signal });
  const named = { ...(store !== undefined && { store }), ...(config !== undefined && { config }) };
  return checkInThreads(named, { ...query, until: end, threads }, session.signal);
}

const kinds = ['undeclared', 'newer', 'uncastable', 'invalid'] as const satisfies readonly LogFailure['kind'][];

const kindTexts: Readonly<Record<LogFailure['kind'], string>> = {
  undeclared: 'of types that are not declared',
  newer: 'of newer versions',
  uncastable: 'not to be cast',
  invalid: 'not as their schema says',
};

async function tell(terminal: Terminal, check: LogCheck): Promise<number> {
  const { events, failed, unvalidated, failures } = check;
  if (failed === 0) {
    const sentence =
      events === 0
        ? 'There was nothing to check: no events'
        : `Checked ${eventsText(events)}: each can be read, and is what the newest schema of its type says`;
    await terminal.printDone(sentence, check);
  } else if (terminal.isJson) await terminal.printJson(check);
  else await failureTable(terminal).print(failures);
  if (unvalidated.length > 0)
    terminal.note(
      `only cast, not validated, since their schemas take something else than they give: ${unvalidated.join(', ')}`,
    );
  if (failed === 0) return exitCodes.done;
  if (failures.length < failed) terminal.note(`these are the first ${numberText(failures.length)}: --limit shows more`);
  const parts = kinds.flatMap((kind) => (check[kind] === 0 ? [] : [`${numberText(check[kind])} ${kindTexts[kind]}`]));
  terminal.fail({
    code: 'events_unreadable',
    summary: `${numberText(failed)} of ${eventsText(events)} cannot be read as they should: ${parts.join(', ')}`,
    remedy:
      'Declare what is missing, and correct casts and schemas, until this finds nothing; what casts cannot mend, another store can (see docs/schemas.md).',
    exitCode: exitCodes.failed,
  });
  return exitCodes.failed;
}

function failureTable(terminal: Terminal): Table<LogFailure> {
  return new Table<LogFailure>(terminal, [
    { title: 'position', value: ({ position }) => position },
    { title: 'stream', value: ({ stream }) => stream, style: 'cyan' },
    { title: 'version', value: ({ version }) => version },
    { title: 'type', value: ({ type }) => type },
    { title: 'schema', value: ({ schemaVersion }) => schemaVersion },
    { title: 'failure', value: ({ kind }) => kind, style: 'bold' },
    { title: 'path', value: ({ issues }) => issues[0]?.path ?? '' },
    { title: 'why', value: whyText },
  ]);
}

function whyText({ issues, readAs }: LogFailure): string {
  const [first, ...others] = issues;
  const more = others.length === 0 ? '' : ` (and ${others.length} more)`;
  const what = readAs === undefined ? '' : `, read as ${readAs.type}`;
  return `${first?.message ?? ''}${what}${more}`;
}
