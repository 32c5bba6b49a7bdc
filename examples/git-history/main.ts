import type { Backend } from 'eventsrc';
import { postgres } from 'eventsrc/postgres';
import { sqlite } from 'eventsrc/sqlite';
import { churnByAuthor, churnByPath, topAuthors } from './churn.ts';
import type { CatchUpOptions } from './catch-up.ts';
import { parseCommandLine, usage } from './command-line.ts';
import type { AuthorsCommand, ChurnCommand, Command, HistoryStore, PlayCommand } from './command-line.ts';
import { openHistory } from './events.ts';
import type { HistoryLog } from './events.ts';
import { Failure, describeFailure, exitCodes } from './failure.ts';
import { authorChurnTable, authorsTable, pathChurnJson, pathChurnTable, toJson } from './format-report.ts';
import { playJson, playLines, playLive } from './format-play.ts';
import { formatTree } from './format-tree.ts';
import { openGitSource } from './git-source.ts';
import type { HistorySource } from './history-source.ts';
import { importHistory } from './import-history.ts';
import type { ImportResult } from './import-history.ts';
import { playHistory } from './play.ts';
import { ProgressBar } from './progress-bar.ts';
import { pathQuoting } from './settings.ts';
import { findCommit, newestCommit, treeAt } from './tree.ts';
import { writeOutput } from './write-output.ts';

async function run(args: readonly string[]): Promise<number> {
  // npm runs scripts in the folder of the package; the user is elsewhere.
  const command = parseCommandLine(args, process.env['INIT_CWD'] ?? process.cwd());
  switch (command.kind) {
    case 'help':
      await writeOutput([usage], process.stdout);
      return exitCodes.done;
    case 'import':
      return runImport(command);
    case 'tree':
      return runTree(command);
    case 'play':
      return runPlay(command);
    case 'churn':
      return runReport(command.store, (log, options) => churnReport(log, command, options));
    case 'authors':
      return runReport(command.store, (log, options) => authorsReport(log, command, options));
    default:
      return command satisfies never;
  }
}

async function runImport({ repository, store, revision, json }: Command & { kind: 'import' }): Promise<number> {
  const interruption = interruptible();
  const source = await openGitSource(repository, revision);
  const startedMs = performance.now();
  await using log = await openHistory(backend(store, true));
  const result = await importShowingProgress(log, source, interruption);
  const seconds = (performance.now() - startedMs) / 1_000;

  const summary = json ? asJson(result, seconds) : asSentence(result, seconds, source.tip);
  await writeOutput([`${summary}\n`], process.stdout);
  if (result.kind === 'complete') return exitCodes.done;
  process.stderr.write(
    'git-history: Interrupted between two commits. Run the same import again to go on from there.\n',
  );
  return exitCodes.interrupted;
}

/** More than once where a terminal and npm both pass it on; stopping takes only as long as what is under way. */
function interruptible(): AbortSignal {
  const interruption = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => interruption.abort());
  return interruption.signal;
}

/** @param create whether a store that does not exist is made. */
function backend(store: HistoryStore, create: boolean): Backend {
  return store.kind === 'postgres' ? postgres(store.url, { migrate: create }) : sqlite(store.file, { create });
}

async function importShowingProgress(
  log: HistoryLog,
  source: HistorySource,
  signal: AbortSignal,
): Promise<ImportResult> {
  using bar = new ProgressBar(process.stderr, 'commits');
  return await importHistory(log, source, { signal, onProgress: bar.show });
}

function asJson({ commits, events }: ImportResult, seconds: number): string {
  return JSON.stringify({ commits, events, seconds: Number(seconds.toFixed(3)) });
}

function asSentence({ kind, commits, events }: ImportResult, seconds: number, tip: string): string {
  if (kind === 'complete' && commits === 0) {
    return `Nothing to do: the store already holds everything up to ${tip.slice(0, 10)}.`;
  }
  const rate = Math.round(events / seconds);
  return `Recorded ${count(commits, 'commit')} as ${count(events, 'event')} in ${seconds.toFixed(1)} s (${rate.toLocaleString('en')} events/s).`;
}

function count(number: number, noun: string): string {
  return `${number.toLocaleString('en')} ${noun}${number === 1 ? '' : 's'}`;
}

async function runTree({ commit, store }: Command & { kind: 'tree' }): Promise<number> {
  await using log = await openHistory(backend(store, false));
  const tree = await treeAt(log, await findCommit(log, commit));
  const { quotePath } = await pathQuoting(log);
  await writeOutput(formatTree(tree, quotePath), process.stdout);
  return exitCodes.done;
}

async function runPlay({ commit, store, speed, json }: PlayCommand): Promise<number> {
  const signal = interruptible();
  await using log = await openHistory(backend(store, false));
  const until = commit === undefined ? await newestCommit(log) : await findCommit(log, commit);
  const frames = playHistory(log, { until, speed, signal });
  const { stdout } = process;
  try {
    await writeOutput(json ? playJson(frames) : stdout.isTTY ? playLive(frames, stdout) : playLines(frames), stdout);
    return exitCodes.done;
  } catch (error) {
    if (!signal.aborted) throw error;
    return exitCodes.interrupted;
  }
}

/** Prints what a view says, once it has caught up. */
async function runReport(
  store: HistoryStore,
  report: (log: HistoryLog, options: CatchUpOptions) => Promise<string | Buffer>,
): Promise<number> {
  const signal = interruptible();
  await using log = await openHistory(backend(store, false));
  try {
    await writeOutput([await reportShowingProgress(log, report, signal)], process.stdout);
    return exitCodes.done;
  } catch (error) {
    if (!signal.aborted) throw error;
    process.stderr.write('git-history: Interrupted. Run the same command again to go on from there.\n');
    return exitCodes.interrupted;
  }
}

async function reportShowingProgress(
  log: HistoryLog,
  report: (log: HistoryLog, options: CatchUpOptions) => Promise<string | Buffer>,
  signal: AbortSignal,
): Promise<string | Buffer> {
  using bar = new ProgressBar(process.stderr, 'events');
  return await report(log, { signal, onProgress: bar.show });
}

async function churnReport(log: HistoryLog, asked: ChurnCommand, options: CatchUpOptions): Promise<string | Buffer> {
  if (asked.by === 'author') {
    const churn = await churnByAuthor(log, asked, options);
    return asked.json ? toJson(churn) : authorChurnTable(churn);
  }
  const churn = await churnByPath(log, asked, options);
  return asked.json ? pathChurnJson(churn) : pathChurnTable(churn, (await pathQuoting(log)).quotePath);
}

async function authorsReport(
  log: HistoryLog,
  asked: AuthorsCommand,
  options: CatchUpOptions,
): Promise<string | Buffer> {
  const authors = await topAuthors(log, asked, options);
  return asked.json ? toJson(authors) : authorsTable(authors);
}

// There is nobody to tell that nobody can be told.
process.stderr.on('error', () => {});

// The exit code is set, and the process left to end by itself, so that everything printed is flushed.
process.exitCode = await run(process.argv.slice(2)).catch((error: unknown) => {
  process.stderr.write(`git-history: ${describeFailure(error)}\n`);
  return error instanceof Failure ? error.exitCode : exitCodes.failed;
});
