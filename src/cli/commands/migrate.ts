import { openLog } from '../../store/log.ts';
import { postgres } from '../../postgres/index.ts';
import type { PostgresOptions } from '../../postgres/index.ts';
import { action, defineCommand } from '../define.ts';
import { usageError } from '../failure.ts';
import { numberText } from '../moment-text.ts';
import { storeName } from '../session.ts';

interface Options {
  readonly grant?: string;
  readonly partitions?: string;
}

const definition = defineCommand({
  usage: 'migrate',
  summary: 'make or update the schema of a PostgreSQL store',
  does: 'Make or update the schema of a PostgreSQL store, so that those who run on it need not be allowed to.',
  examples: [
    [
      'migrate --store postgres://owner@db/shop --grant shop_app',
      'shop_app may then append and read, and nothing else',
    ],
    ['migrate --store postgres://owner@db/shop?schema=north --partitions 32', 'a store of its own for a tenant'],
  ],
})
  .option('--grant <role>', 'let this role read and append')
  .option('--partitions <count>', 'hash partitions of a schema that is made (default: 8)');

export const migrate = action<[], Options>(definition, async (session, { grant, partitions }) => {
  const location = await session.location();
  if (!('kind' in location) || location.kind !== 'postgres')
    throw usageError(`${storeName(location)} is migrated when it is opened`, 'Name a store with --store postgres://…');
  const options: PostgresOptions = {
    ...(grant !== undefined && { grantTo: grant }),
    ...(partitions !== undefined && { partitions: Number(partitions) }),
  };
  await using log = await openLog({ store: postgres(location.url, options) });
  const { position } = await log.head();
  const granted = grant === undefined ? '' : `, ${grant} may read and append`;
  const sentence = `${storeName(location)} is up to date${granted}; it holds ${numberText(position)} events`;
  await session.terminal.printDone(sentence, { events: position });
});
