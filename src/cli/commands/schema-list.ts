import type { CatalogueType, CatalogueVersion } from '../../schema/catalogue.ts';
import { action, defineCommand } from '../define.ts';
import { shortTimeText, timeText } from '../moment-text.ts';
import { readCatalogue } from '../schemas.ts';
import { Table } from '../table.ts';

type Row = CatalogueVersion & Pick<CatalogueType, 'name' | 'owner' | 'type' | 'retired'>;

export const list = action<[], object>(
  defineCommand({
    usage: 'list',
    summary: 'list every type and version, and how it stands',
    does: 'List every type and version that the config declares or the store has registered: registered (declared as it was appended), new (nothing was appended as it yet), changed (appended with another schema), incompatible (less compatible than the config demands), opaque (without a JSON Schema, so nothing can be told), undeclared (appended, and not declared any more), retired (read as other types), elsewhere (registered by code that has another aggregate).',
    examples: [
      ['schema list', 'all of them'],
      [`schema list --json | jq -r 'select(.verdict == "undeclared").name'`, 'for a program'],
    ],
  }),
  async (session) => {
    const { terminal } = session;
    const catalogue = await readCatalogue(session);
    const time = terminal.isRich ? shortTimeText : timeText;
    const table = new Table<Row>(
      terminal,
      [
        { title: 'type', value: ({ name }) => name, style: 'cyan' },
        { title: 'version', value: ({ version }) => version },
        { title: 'verdict', value: ({ verdict }) => verdict, style: 'bold' },
        {
          title: 'registered',
          value: ({ registered }) => (registered === undefined ? '' : time(registered.registeredAt)),
          style: 'dim',
        },
      ],
      ({ name, owner, type, version, verdict, retired, registered }) => ({
        ...{ name, owner, type, version, verdict, retired },
        ...(registered !== undefined && {
          registeredAt: registered.registeredAt,
          vendor: registered.vendor,
          fingerprint: registered.fingerprint,
        }),
      }),
    );
    await table.print(
      catalogue.flatMap(({ versions, ...type }) => versions.map((version) => ({ ...type, ...version }))),
    );
    if (catalogue.length === 0) terminal.note('no type of event is declared or registered');
  },
);
