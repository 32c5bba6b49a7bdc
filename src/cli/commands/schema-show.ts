import { shapeOfVersion } from '../../schema/catalogue.ts';
import type { CatalogueType, CatalogueVersion } from '../../schema/catalogue.ts';
import { schemaFields } from '../../schema/schema-fields.ts';
import type { SchemaField } from '../../schema/schema-fields.ts';
import { count } from '../arguments.ts';
import { action, defineCommand } from '../define.ts';
import { shortTimeText, timeText } from '../moment-text.ts';
import { readCatalogue, requireType, requireVersion } from '../schemas.ts';
import { Table } from '../table.ts';
import type { Terminal } from '../terminal.ts';

interface Options {
  readonly version?: number;
}

export const show = action<[type: string], Options>(
  defineCommand({
    usage: 'show <type>',
    summary: 'show the versions of one type, its casts and its schema',
    does: 'Show the versions of one type of event, by which casts one leads to the other, and the JSON Schema of one of them, a field a line. `up` reads an event of the version before, `down` serves who is pinned to the version before.',
    examples: [
      ['schema show order.OrderPlaced', 'its newest version'],
      ['schema show OrderPlaced --version 1', 'an older one; the type alone, where one aggregate has it'],
      ['schema show OrderPlaced --json', 'the JSON Schemas themselves'],
    ],
  }).option('--version <number>', 'the schema of this version (default: the newest)', count),
  async (session, { version }, typed) => {
    const { terminal } = session;
    const type = requireType(await readCatalogue(session), typed);
    const shown = version === undefined ? (type.versions.at(-1) as CatalogueVersion) : requireVersion(type, version);
    if (terminal.isJson) {
      const { name, owner, type: of, retired } = type;
      const versions = (version === undefined ? type.versions : [shown]).map(jsonOf);
      await terminal.printJson({ name, owner, type: of, retired, versions });
      return;
    }
    await versionTable(terminal).print(type.versions);
    await terminal.print('');
    await printSchema(terminal, type, shown);
  },
);

function jsonOf(one: CatalogueVersion): object {
  const { version, verdict, declared, registered } = one;
  return {
    ...{ version, verdict, up: declared?.up !== undefined, down: declared?.down !== undefined },
    ...(registered !== undefined && {
      registeredAt: registered.registeredAt,
      vendor: registered.vendor,
      fingerprint: registered.fingerprint,
    }),
    shape: shapeOfVersion(one) ?? null,
  };
}

function versionTable(terminal: Terminal): Table<CatalogueVersion> {
  const time = terminal.isRich ? shortTimeText : timeText;
  return new Table<CatalogueVersion>(terminal, [
    { title: 'version', value: ({ version }) => version },
    { title: 'verdict', value: ({ verdict }) => verdict, style: 'bold' },
    { title: 'casts', value: castsText },
    {
      title: 'registered',
      value: ({ registered }) => (registered === undefined ? '' : time(registered.registeredAt)),
      style: 'dim',
    },
    { title: 'library', value: libraryOf },
  ]);
}

function castsText({ version, declared }: CatalogueVersion): string {
  const { up, down } = declared ?? {};
  const casts = [
    ...(up === undefined ? [] : [`up from ${version - 1}`]),
    ...(down === undefined ? [] : [`down to ${version - 1}`]),
  ];
  return casts.join(', ');
}

function libraryOf({ declared, registered }: CatalogueVersion): string {
  return declared?.schema['~standard'].vendor ?? registered?.vendor ?? '';
}

async function printSchema(
  terminal: Terminal,
  { name, retired }: CatalogueType,
  version: CatalogueVersion,
): Promise<void> {
  const shape = shapeOfVersion(version);
  if (shape === undefined)
    terminal.note(`version ${version.version} of ${name} has no JSON Schema: its library exports none`);
  else {
    const fields = new Table<SchemaField>(terminal, [
      { title: `field of version ${version.version}`, value: pathOf, style: 'cyan' },
      { title: 'presence', value: ({ required }) => (required ? 'required' : 'optional'), style: 'dim' },
      { title: 'type', value: ({ type }) => type },
      { title: 'description', value: ({ description }) => description },
    ]);
    await fields.print(schemaFields(shape.output));
  }
  if (retired) terminal.note(`${name} is retired: its events are read as those of other types`);
}

/** As failures and differences name it. */
function pathOf({ path }: SchemaField): string {
  return path === '' || path.startsWith('[') ? `data${path}` : `data.${path}`;
}
