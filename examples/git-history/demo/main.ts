/** `npm run git-history-demo`: what the store gives you, shown on the history of this clone in about a minute of reading. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sqlite } from 'eventsrc/sqlite';
import { openHistory } from '../events.ts';
import { describeFailure } from '../failure.ts';
import { chooseDemoSource, openDemoSource } from './demo-source.ts';
import { faint, line, title } from '../../narrator.ts';
import { showImport } from './show-import.ts';
import { showMoments } from './show-moments.ts';
import { showPlay } from './show-play.ts';
import { showRace } from './show-race.ts';
import { showRecovery } from './show-recovery.ts';

async function run(folder: string): Promise<void> {
  const { name, reason } = await chooseDemoSource();
  title(
    name === 'clone'
      ? 'eventsrc: the history of this clone, as events'
      : 'eventsrc: the history of a small recipe book, as events',
  );
  if (reason !== undefined) console.log(faint(`${reason} So this is a small history that comes with the example.`));

  const source = await openDemoSource(name);
  const file = join(folder, 'history.db');
  const position = await showImport(source, file);
  await using log = await openHistory(sqlite(file));
  await showMoments(log);
  await showPlay(log);
  await showRace(file);
  await showRecovery(source, name, join(folder, 'recovered.db'), { log, position });

  console.log('\nNow with a repository of yours:');
  line('npm run --silent git-history -- import REPO --store sqlite:history.db');
  line('npm run --silent git-history -- tree COMMIT --store sqlite:history.db');
  line('npm run --silent git-history -- play --store sqlite:history.db');
  line('npm run --silent git-history -- churn --store sqlite:history.db');
}

const folder = mkdtempSync(join(tmpdir(), 'eventsrc-demo-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
process.once('SIGINT', () => process.exit(130));
// Whoever was reading (`| head`) has seen enough.
process.stdout.on('error', () => process.exit());
try {
  await run(folder);
} catch (error) {
  process.stderr.write(`demo: ${describeFailure(error)}\n`);
  process.exitCode = 1;
}
