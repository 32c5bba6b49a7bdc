/** `eventsrc migrate --to`: a store is written anew through a function. */
import { migrateLog } from '../../migration/migrate-log.ts';
import type { MigrationOptions, MigrationResult } from '../../migration/migrate-log.ts';
import type { Migration } from '../../migration/migration.ts';
import { usageError } from '../failure.ts';
import { loadFunction } from '../function-file.ts';
import { numberText } from '../moment-text.ts';
import { withProgress } from '../progress.ts';
import { storeName } from '../session.ts';
import type { Session } from '../session.ts';
import { otherStore } from '../transfer/other-store.ts';
import { recordInto } from '../transfer/record-file.ts';

type Recorder = NonNullable<MigrationOptions['record']>;

export interface MigrateStoreOptions {
  readonly to?: string;
  readonly using?: string;
  readonly record?: string;
  readonly force?: boolean;
  readonly sagaSteps?: boolean;
}

const remedy = 'Name the file of a function: eventsrc migrate --to sqlite:new.db --using migration.ts';
const example = "(event) => (event.type === 'OrderPlaced' ? { ...event, data: … } : 'keep')";

export async function migrateStore(session: Session, to: string, options: MigrateStoreOptions): Promise<void> {
  const { using, record: file, force = false, sagaSteps = false } = options;
  const { terminal, signal } = session;
  if (using === undefined) throw usageError('--to says where, and nothing says how', remedy);
  const from = await session.location();
  const location = otherStore(to, from, '--store');
  // What it takes and gives is checked for each event.
  const migration = (await loadFunction(using, remedy, example)) as Migration;
  const { aggregates = [] } = await session.config();
  await using source = await session.openLog('existing');
  const work = async (record?: Recorder) => {
    await using target = await session.openLog('create', location);
    return await withProgress(terminal, (progress) =>
      migrateLog(source, target, migration, {
        ...{ aggregates, sagaSteps, signal },
        ...(record !== undefined && { record }),
        onProgress: ({ phase, done, total }) => progress({ title: phase, what: 'events', done, total }),
      }),
    );
  };
  const result = file === undefined ? await work() : await recordInto(file, { force, signal }, work);
  await terminal.printDone(sentenceOf(result, storeName(location)), result);
  if (result.sagaSteps > 0 && !sagaSteps && result.kept < result.events)
    terminal.note(
      `  ${numberText(result.sagaSteps)} steps of sagas were kept, with the positions and ids that they name: see docs/migrating.md.`,
    );
}

function sentenceOf({ events, kept, leftOut, written, skipped, receipts }: MigrationResult, name: string): string {
  const counts = [
    `${numberText(kept)} kept their ids`,
    ...(leftOut > 0 ? [`${numberText(leftOut)} were left out`] : []),
  ];
  const earlier = skipped === 0 ? '' : ` (${numberText(skipped)} were there already)`;
  const into = `${numberText(written + skipped)} events${earlier}, ${numberText(receipts)} receipts, into ${name}`;
  return `Migrated and compared: of ${numberText(events)} events ${counts.join(', ')}; ${into}`;
}
