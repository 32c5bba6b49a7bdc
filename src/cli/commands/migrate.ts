import { openLog } from '../../store/log.ts';
import { postgres } from '../../postgres/index.ts';
import type { PostgresOptions } from '../../postgres/index.ts';
import { action, defineCommand } from '../define.ts';
import { usageError } from '../failure.ts';
import { numberText } from '../moment-text.ts';
import { storeName } from '../session.ts';
import { migrateStore } from './migrate-store.ts';
import type { MigrateStoreOptions } from './migrate-store.ts';

interface Options extends MigrateStoreOptions {
  readonly grant?: string;
  readonly partitions?: string;
}

const definition = defineCommand({
  usage: 'migrate',
  summary: 'update the schema of a PostgreSQL store, or write a store anew',
  does:
    'Make or update the schema of a PostgreSQL store, so that those who run on it need not be allowed to. With --to, write an empty ' +
    'store from another one through a function of yours: the other one is only read. Repeated after an interruption, it goes on where it was.',
  examples: [
    [
      'migrate --store postgres://owner@db/shop --grant shop_app',
      'shop_app may then append and read, and nothing else',
    ],
    ['migrate --store postgres://owner@db/shop?schema=north --partitions 32', 'a store of its own for a tenant'],
    [
      'migrate --store sqlite:old.db --to sqlite:new.db --using migration.ts --record ids.ndjson',
      'a new store, and what became of which event',
    ],
    ['migrate --store sqlite:old.db --to memory: --using migration.ts', 'tries it out'],
  ],
})
  .option('--grant <role>', 'let this role read and append')
  .option('--partitions <count>', 'hash partitions of a schema that is made (default: 8)')
  .option('--to <url>', 'an empty store, or what an interrupted run has left: written from the one of --store')
  .option('--using <file>', 'with --to: exports a function from an event to what becomes of it')
  .option(
    '--record <file>',
    'with --to: where each event went that has not kept its id, a line of JSON each (.gz, .zst)',
  )
  .option('--force', 'with --record: replace the file if it exists')
  .option('--saga-steps', 'with --to: ask the function about the steps of sagas, too');

export const migrate = action<[], Options>(definition, async (session, options) => {
  const { grant, partitions, to, ...others } = options;
  checkTogether(options);
  if (to !== undefined) return migrateStore(session, to, others);
  const location = await session.location();
  if (!('kind' in location) || location.kind !== 'postgres')
    throw usageError(`${storeName(location)} is migrated when it is opened`, 'Name a store with --store postgres://…');
  const postgresOptions: PostgresOptions = {
    ...(grant !== undefined && { grantTo: grant }),
    ...(partitions !== undefined && { partitions: Number(partitions) }),
  };
  await using log = await openLog({ store: postgres(location.url, postgresOptions) });
  const { position } = await log.head();
  const granted = grant === undefined ? '' : `, ${grant} may read and append`;
  const sentence = `${storeName(location)} is up to date${granted}; it holds ${numberText(position)} events`;
  await session.terminal.printDone(sentence, { events: position });
});

/** Two things are done under one name. @throws {CliError} */
function checkTogether({ to, grant, partitions, using, record, force, sagaSteps }: Options): void {
  const given = Object.entries(
    to === undefined ? { using, record, force, 'saga-steps': sagaSteps } : { grant, partitions },
  );
  const [stray] = given.find(([, value]) => value !== undefined) ?? [];
  if (stray === undefined) return;
  if (to === undefined) throw usageError(`--${stray} is for migrating into another store`, 'Name that with --to.');
  throw usageError(`--${stray} is for the schema of a PostgreSQL store`, 'Leave it out, or leave out --to.');
}
