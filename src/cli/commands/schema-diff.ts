import { shapeOf } from '../../event/json-schema.ts';
import type { SchemaShape } from '../../event/json-schema.ts';
import type { CatalogueType, CatalogueVersion } from '../../schema/catalogue.ts';
import { incompatibilities } from '../../schema/compatibility.ts';
import type { Incompatibility } from '../../schema/compatibility.ts';
import { schemaChanges } from '../../schema/schema-changes.ts';
import type { SchemaChange } from '../../schema/schema-changes.ts';
import { action, defineCommand } from '../define.ts';
import { CliError, usageError } from '../failure.ts';
import { readCatalogue, requireType, requireVersion } from '../schemas.ts';
import { Table } from '../table.ts';
import type { Terminal } from '../terminal.ts';

/** One version of a type, as the code or the store knows it. */
interface Side {
  readonly version: number;
  readonly of: 'declared' | 'registered';
  readonly shape: SchemaShape;
}

interface Way {
  readonly compatible: boolean;
  readonly problems: readonly Incompatibility[];
}

export const diff = action<[type: string, from?: string, to?: string], object>(
  defineCommand({
    usage: 'diff <type> [from] [to]',
    summary: 'compare two versions of a type, field by field',
    does: 'Compare two versions of a type of event, field by field, and say in which directions they are compatible. A version is a number (as it is declared; as it was registered, where it is not declared any more), `declared` or `registered` (the newest that is), or both: `registered:1`.',
    examples: [
      ['schema diff order.OrderPlaced', 'the last two versions'],
      ['schema diff OrderPlaced 1 3', 'any two'],
      ['schema diff OrderPlaced registered declared', 'what was changed in place'],
    ],
  }),
  async (session, _options, typed, from, to) => {
    const { terminal } = session;
    const type = requireType(await readCatalogue(session), typed);
    const [before, after] = sidesOf(type, from, to);
    const changes = schemaChanges(before.shape.output, after.shape.output);
    const backward = wayOf(before, after);
    const forward = wayOf(after, before);
    if (terminal.isJson) {
      const names = [before, after].map(({ version, of }) => ({ version, of }));
      await terminal.printJson({ name: type.name, from: names[0], to: names[1], changes, backward, forward });
      return;
    }
    await changeTable(terminal).print(changes);
    if (changes.length > 0) await terminal.print('');
    else terminal.note(`${sideText(before)} and ${sideText(after)} of ${type.name} are the same`);
    await wayTable(terminal).print([
      ...rowsOf('backward', after, before, backward),
      ...rowsOf('forward', before, after, forward),
    ]);
  },
);

/** @throws {CliError} */
function sidesOf(type: CatalogueType, from: string | undefined, to: string | undefined): readonly [Side, Side] {
  const { name, versions } = type;
  if (from !== undefined) return [sideOf(type, from), sideOf(type, to ?? String(versions.at(-1)?.version))];
  const [one, other] = versions.slice(-2);
  if (one !== undefined && other !== undefined)
    return [sideOf(type, String(one.version)), sideOf(type, String(other.version))];
  if (one?.declared !== undefined && one.registered !== undefined)
    return [sideOf(type, 'registered'), sideOf(type, 'declared')];
  throw usageError(`${name} has one version only`, 'There is nothing to compare it with: see eventsrc schema show.');
}

/** @throws {CliError} */
function sideOf(type: CatalogueType, text: string): Side {
  const [, word, number] = /^(?:(declared|registered)(?::|$))?(\d{1,9})?$/.exec(text) ?? [];
  if (text.endsWith(':') || (word === undefined && number === undefined))
    throw usageError(
      `${JSON.stringify(text)} is no version`,
      'Write a number, declared, registered, or both, as in registered:1.',
    );
  const found = number === undefined ? newestOf(type, word) : requireVersion(type, Number(number));
  const { version, declared, registered } = found;
  const of = (word ?? (declared === undefined ? 'registered' : 'declared')) as Side['of'];
  if (found[of] === undefined) throw usageError(`Version ${version} of ${type.name} is not ${of}`, 'Name another one.');
  const shape = of === 'declared' ? declared && shapeOf(declared.schema) : registered?.shape;
  if (shape !== undefined && shape !== null) return { version, of, shape };
  throw new CliError(
    `Version ${version} of ${type.name} has no JSON Schema: its library exports none`,
    'Use a library that does, such as zod, arktype, or valibot with toStandardJsonSchema.',
  );
}

/** @throws {CliError} */
function newestOf({ name, versions }: CatalogueType, word: string | undefined): CatalogueVersion {
  const of = versions.filter((one) => (word === 'declared' ? one.declared : one.registered) !== undefined);
  const newest = of.at(-1);
  if (newest === undefined) throw usageError(`No version of ${name} is ${word}`, 'Name another one.');
  return newest;
}

/** Whether what the one gives is taken by the other. */
function wayOf(writer: Side, reader: Side): Way {
  const problems = incompatibilities(writer.shape.output, reader.shape.input);
  return { compatible: problems.length === 0, problems };
}

function sideText({ version, of }: Side): string {
  return `version ${version}, as ${of},`;
}

function changeTable(terminal: Terminal): Table<SchemaChange> {
  return new Table<SchemaChange>(terminal, [
    { title: 'field', value: ({ path }) => path, style: 'cyan' },
    { title: 'change', value: ({ change }) => change, style: 'bold' },
    // The path is said already.
    { title: 'what', value: ({ path, text }) => (text.startsWith(`${path}: `) ? text.slice(path.length + 2) : text) },
  ]);
}

interface WayRow {
  readonly direction: string;
  readonly meaning: string;
  readonly verdict: string;
  readonly problem: Incompatibility | undefined;
}

function rowsOf(direction: string, reader: Side, writer: Side, { compatible, problems }: Way): readonly WayRow[] {
  const meaning = `${reader.version} reads ${writer.version}`;
  if (compatible) return [{ direction, meaning, verdict: 'compatible', problem: undefined }];
  return problems.map((problem) => ({ direction, meaning, verdict: 'incompatible', problem }));
}

function wayTable(terminal: Terminal): Table<WayRow> {
  return new Table<WayRow>(terminal, [
    { title: 'direction', value: ({ direction }) => direction },
    { title: 'meaning', value: ({ meaning }) => meaning, style: 'dim' },
    { title: 'verdict', value: ({ verdict }) => verdict, style: 'bold' },
    { title: 'field', value: ({ problem }) => problem?.path ?? '', style: 'cyan' },
    { title: 'why', value: ({ problem }) => problem?.reason ?? '' },
  ]);
}
