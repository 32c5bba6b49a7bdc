import { Option } from 'commander';
import type { Compatibility } from '../../schema/compatibility.ts';
import { nameOf } from '../../schema/declared.ts';
import { compatibilities } from '../../schema/verdict.ts';
import type { SchemaVerdict } from '../../schema/verdict.ts';
import { failuresDefault } from '../../schema/check-log.ts';
import { count } from '../arguments.ts';
import { action, defineCommand } from '../define.ts';
import { addSelection } from '../event-selection.ts';
import { exitCodes, usageError } from '../failure.ts';
import { numberText } from '../moment-text.ts';
import { schemasOf } from '../schemas.ts';
import type { Session } from '../session.ts';
import { Table } from '../table.ts';
import { checkStored } from './schema-check-log.ts';
import type { LogOptions } from './schema-check-log.ts';
import type { Terminal } from '../terminal.ts';

interface Options extends LogOptions {
  readonly compatibility?: Compatibility;
  readonly log?: boolean;
}

const definition = defineCommand({
  usage: 'check',
  summary: 'check this code against what is registered, or the whole log',
  does: 'Check what the config declares against what the store has registered, for CI: that no version was changed in place, that none is gone that was appended, that new ones are as compatible as is demanded. With --log, check what is stored: that every event is of a type and version that is declared, can be cast to what it is read as, and then is what the newest schema says. Exits with 1 if anything is wrong.',
  examples: [
    ['schema check', 'as the config demands it'],
    ['schema check --compatibility FULL_TRANSITIVE', 'of all types, whatever the config demands'],
    ['schema check --log', 'every event that is stored'],
    ['schema check --log --since 1d --json', 'those of the last day, for a program'],
  ],
})
  .addOption(
    new Option(
      '--compatibility <mode>',
      'demand this of new versions of all types, instead of what the config says',
    ).choices(compatibilities),
  )
  .option('--log', 'check what is stored; all of it, or with the options below part of it');

export const check = action<[], Options>(
  addSelection(definition)
    .option('--threads <count>', 'on so many threads (default: one less than there are cores)', count)
    .option('--limit <count>', `show at most so many failures; all are counted (default: ${failuresDefault})`, count),
  async (session, options) => {
    const { log = false, compatibility, ...selection } = options;
    if (log && compatibility !== undefined)
      throw usageError('--compatibility is about what is registered, not about the log', 'Leave one of them out.');
    if (log) return checkStored(session, selection);
    const unused = logOnly.find((option) => options[option] !== undefined);
    if (unused !== undefined) throw usageError(`--${unused} is about the log`, 'Add --log, or leave it out.');
    return checkRegistry(session, compatibility);
  },
);

const logOnly = [
  'stream',
  'type',
  'tag',
  'after',
  'upto',
  'since',
  'until',
  'threads',
  'limit',
] as const satisfies readonly (keyof LogOptions)[];

const wrong: readonly SchemaVerdict['kind'][] = ['changed', 'incompatible', 'undeclared'];

async function checkRegistry(session: Session, compatibility: Compatibility | undefined): Promise<number> {
  const { terminal } = session;
  const config = await session.definitions();
  await using log = await session.openLog('existing');
  const schemas = await schemasOf(log, config);
  const verdicts = await schemas.check(compatibility && { compatibility });
  const found = verdicts.filter(({ kind }) => wrong.includes(kind));
  const counts = countsOf(verdicts);
  if (found.length === 0) {
    await terminal.printDone(sentenceOf(counts), { ...counts, wrong: [] });
    return exitCodes.done;
  }
  if (terminal.isJson) await terminal.printJson({ ...counts, wrong: found.map(jsonOf) });
  else await faultTable(terminal).print(found.flatMap(rowsOf));
  terminal.fail({
    code: 'schemas_differ',
    summary: `${numberText(found.length)} of ${versionsText(verdicts.length)} of events cannot stay as they are`,
    remedy: remedyOf(found),
    exitCode: exitCodes.failed,
  });
  return exitCodes.failed;
}

type Counts = Readonly<Record<SchemaVerdict['kind'] | 'versions', number>>;

function countsOf(verdicts: readonly SchemaVerdict[]): Counts {
  const of = (kind: SchemaVerdict['kind']) => verdicts.filter((verdict) => verdict.kind === kind).length;
  return {
    versions: verdicts.length,
    registered: of('registered'),
    new: of('new'),
    opaque: of('opaque'),
    changed: of('changed'),
    incompatible: of('incompatible'),
    undeclared: of('undeclared'),
  };
}

function versionsText(versions: number): string {
  return `${numberText(versions)} ${versions === 1 ? 'version' : 'versions'}`;
}

function sentenceOf({ versions, registered, new: unused, opaque }: Counts): string {
  if (versions === 0) return 'There was nothing to check: the config declares no events';
  const parts = [
    `${numberText(registered)} as registered`,
    `${numberText(unused)} new`,
    ...(opaque === 0 ? [] : [`${numberText(opaque)} without a JSON Schema, so nothing can be told of them`]),
  ];
  return `Checked ${versionsText(versions)} of events: ${parts.join(', ')}`;
}

function jsonOf(verdict: SchemaVerdict): object {
  const { owner, type, version, kind, compatibility, changes, problems } = verdict;
  return { name: nameOf(verdict), owner, type, version, verdict: kind, compatibility, changes, problems };
}

interface Row {
  readonly verdict: SchemaVerdict;
  readonly field: string;
  readonly why: string;
}

function rowsOf(verdict: SchemaVerdict): readonly Row[] {
  const changes = verdict.changes.map(({ path, text }) => ({ verdict, field: path, why: text }));
  const problems = verdict.problems.map(({ path, reason, direction, against }) => ({
    verdict,
    field: path,
    why: `${verdict.compatibility}: ${directionText(direction, verdict.version, against)}: ${reason}`,
  }));
  const rows = [...changes, ...problems];
  if (rows.length > 0) return rows;
  const why =
    verdict.kind === 'undeclared'
      ? 'there are events of it, and this code cannot read them'
      : 'it takes or gives something else than what was registered';
  return [{ verdict, field: '', why }];
}

/** Who does not understand whom. */
function directionText(direction: 'backward' | 'forward', version: number, against: number): string {
  const [reader, writer] = direction === 'backward' ? [version, against] : [against, version];
  return `version ${reader} does not take what version ${writer} gives`;
}

function faultTable(terminal: Terminal): Table<Row> {
  return new Table<Row>(terminal, [
    { title: 'type', value: ({ verdict }) => nameOf(verdict), style: 'cyan' },
    { title: 'version', value: ({ verdict }) => verdict.version },
    { title: 'verdict', value: ({ verdict }) => verdict.kind, style: 'bold' },
    { title: 'field', value: ({ field }) => field },
    { title: 'why', value: ({ why }) => why },
  ]);
}

function remedyOf(found: readonly SchemaVerdict[]): string {
  const kinds = new Set(found.map(({ kind }) => kind));
  const remedies = [
    ...(kinds.has('changed') ? ['Restore what was changed, and declare the change as the next version.'] : []),
    ...(kinds.has('incompatible') ? ['Correct a new version, or demand less of it.'] : []),
    ...(kinds.has('undeclared') ? ['Declare what was appended, or retire it.'] : []),
  ];
  return remedies.join(' ');
}
