import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { ParseArgsOptionsConfig } from 'node:util';
import type { ReplaySpeed } from 'eventsrc';
import { usageFailure } from './failure.ts';
import { abbreviationPattern } from './tree.ts';

export const usage = `Keeps the history of a git repository in an eventsrc store, and rebuilds any commit's tree from it.

npm run --silent git-history -- import REPO --store URL [--rev REV] [--json]
    Records every commit of REPO's first-parent history, up to REV (HEAD by default), that the store lacks.
    It can be interrupted at any moment, and goes on from there when it is run again.
    --json   print {"commits", "events", "seconds"} of what was recorded

npm run --silent git-history -- tree COMMIT --store URL
    Prints what \`git -C REPO ls-tree -r --full-tree COMMIT\` prints, from the events up to COMMIT:
    an id, or at least the first four digits of it.

npm run --silent git-history -- play [COMMIT] --store URL [--speed FACTOR] [--json]
    Shows how the tree grew, up to COMMIT (the newest by default): a line for each commit, with its date, its id, the
    paths that it added (+), modified (~) and deleted (-), and how many files there are then. Ctrl-C ends it.
    --speed  times the pace at which the commits were made: from 0.1 to 100 (by default), or unthrottled. The pause
             before a commit is half a second at most, and shorter in a history of more than 120 commits, so that all
             pauses together are a minute at most. Where dates run backwards there is none.
    --json   print {"commit", "committedAt", "subject", "added", "modified", "deleted", "files"} for each, one a line

npm run --silent git-history -- churn --store URL [--by path|author] [--path PREFIX] [--top N] [--json]
    Prints which paths were changed most, or who changed most, and how: added, modified, deleted. A renamed file is
    deleted under one path and added under another; a merge is what it changed against its first parent.
    --by     path (by default) or author
    --path   only paths that begin with PREFIX: src/ for a folder
    --top    how many; 10 by default

npm run --silent git-history -- authors --store URL [--top N] [--json]
    Prints who made how many commits, which were the first and the last of them, and how many changes are in them.
    Authors are told apart by name and address; .mailmap is not looked at.

churn and authors are views of what import has recorded: the first time they read all of it, then what has been added.

URL is sqlite:FILE or postgres://USER:PASSWORD@HOST/DATABASE?schema=SCHEMA. REPO and FILE may be relative to the current
folder. Exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted.
`;

/** Where a history is kept. */
export type HistoryStore =
  | { readonly kind: 'sqlite'; readonly file: string }
  | { readonly kind: 'postgres'; readonly url: string };

export type Command =
  | { readonly kind: 'help' }
  | {
      readonly kind: 'import';
      readonly repository: string;
      readonly store: HistoryStore;
      readonly revision?: string;
      readonly json: boolean;
    }
  | { readonly kind: 'tree'; readonly commit: string; readonly store: HistoryStore }
  | PlayCommand
  | ChurnCommand
  | AuthorsCommand;

export interface PlayCommand {
  readonly kind: 'play';
  /** Default: the newest. */
  readonly commit?: string;
  readonly speed: ReplaySpeed;
  readonly json: boolean;
  readonly store: HistoryStore;
}

export interface ChurnCommand {
  readonly kind: 'churn';
  readonly by: 'path' | 'author';
  readonly prefix: string;
  readonly top: number;
  readonly json: boolean;
  readonly store: HistoryStore;
}

export interface AuthorsCommand {
  readonly kind: 'authors';
  readonly top: number;
  readonly json: boolean;
  readonly store: HistoryStore;
}

const common = {
  store: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const satisfies ParseArgsOptionsConfig;
const importOptions = {
  ...common,
  rev: { type: 'string' },
  json: { type: 'boolean' },
} as const satisfies ParseArgsOptionsConfig;
const playOptions = {
  ...common,
  speed: { type: 'string' },
  json: { type: 'boolean' },
} as const satisfies ParseArgsOptionsConfig;
const authorsOptions = {
  ...common,
  top: { type: 'string' },
  json: { type: 'boolean' },
} as const satisfies ParseArgsOptionsConfig;
const churnOptions = {
  ...authorsOptions,
  by: { type: 'string' },
  path: { type: 'string' },
} as const satisfies ParseArgsOptionsConfig;

/**
 * @param folder where the user is: what relative paths are relative to.
 * @throws {Failure} with the exit code for wrong usage.
 */
export function parseCommandLine(args: readonly string[], folder: string): Command {
  const [name, ...rest] = args;
  switch (name) {
    case 'import':
      return parseImport(rest, folder);
    case 'tree':
      return parseTree(rest, folder);
    case 'play':
      return parsePlay(rest, folder);
    case 'churn':
      return parseChurn(rest, folder);
    case 'authors':
      return parseAuthors(rest, folder);
    case '--help':
    case '-h':
    case 'help':
      return { kind: 'help' };
    case undefined:
      throw usageFailure('No command was given: import, tree, play, churn or authors.');
    default:
      throw usageFailure(`There is no command ${JSON.stringify(name)}, only import, tree, play, churn and authors.`);
  }
}

function parseImport(args: readonly string[], folder: string): Command {
  const { values, positionals } = parse(args, importOptions);
  if (values.help === true) return { kind: 'help' };
  const repository = resolve(folder, single(positionals, 'REPO'));
  const store = storeAt(values.store, folder);
  const { rev: revision, json = false } = values;
  if (revision === '') throw usageFailure('--rev is empty.');
  return { kind: 'import', repository, store, json, ...(revision === undefined ? {} : { revision }) };
}

function parseTree(args: readonly string[], folder: string): Command {
  const { values, positionals } = parse(args, common);
  if (values.help === true) return { kind: 'help' };
  const commit = checkCommit(single(positionals, 'COMMIT'));
  return { kind: 'tree', commit, store: storeAt(values.store, folder) };
}

function parsePlay(args: readonly string[], folder: string): Command {
  const { values, positionals } = parse(args, playOptions);
  if (values.help === true) return { kind: 'help' };
  const commit = positionals.length === 0 ? {} : { commit: checkCommit(single(positionals, 'COMMIT')) };
  const { json = false } = values;
  return { kind: 'play', ...commit, speed: speedOf(values.speed), json, store: storeAt(values.store, folder) };
}

function checkCommit(commit: string): string {
  if (abbreviationPattern.test(commit)) return commit;
  throw usageFailure(`COMMIT is ${JSON.stringify(commit)}, expected a commit's id or at least its first four digits.`);
}

function speedOf(given = '100'): ReplaySpeed {
  if (given === 'unthrottled') return given;
  const speed = /^\d+(\.\d+)?$/.test(given) ? Number(given) : NaN;
  if (speed >= 0.1 && speed <= 100) return speed;
  throw usageFailure(`--speed is ${JSON.stringify(given)}, expected a factor from 0.1 to 100, or unthrottled.`);
}

function parseChurn(args: readonly string[], folder: string): Command {
  const { values, positionals } = parse(args, churnOptions);
  if (values.help === true) return { kind: 'help' };
  none(positionals);
  const { by = 'path', path: prefix = '', json = false } = values;
  if (by !== 'path' && by !== 'author') throw usageFailure(`--by is ${JSON.stringify(by)}, expected path or author.`);
  return { kind: 'churn', by, prefix, top: topOf(values.top, 10), json, store: storeAt(values.store, folder) };
}

function parseAuthors(args: readonly string[], folder: string): Command {
  const { values, positionals } = parse(args, authorsOptions);
  if (values.help === true) return { kind: 'help' };
  none(positionals);
  const { json = false } = values;
  return { kind: 'authors', top: topOf(values.top, Infinity), json, store: storeAt(values.store, folder) };
}

function topOf(top: string | undefined, otherwise: number): number {
  if (top === undefined) return otherwise;
  if (!/^[1-9]\d{0,8}$/.test(top)) throw usageFailure(`--top is ${JSON.stringify(top)}, expected a number from 1 on.`);
  return Number(top);
}

function parse<Options extends ParseArgsOptionsConfig>(args: readonly string[], options: Options) {
  try {
    return parseArgs({ args, options, allowPositionals: true });
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    // The first sentence says what is wrong; the rest is about options that begin like numbers.
    throw usageFailure(error.message.replace(/(?<=[^.])\.? To specify .*$/s, '').replace(/\.?$/, '.'));
  }
}

function none([first]: readonly string[]): void {
  if (first !== undefined) throw usageFailure(`${JSON.stringify(first)} is one argument too many.`);
}

function single(positionals: readonly string[], name: string): string {
  const [first, second] = positionals;
  if (first === undefined || first === '') throw usageFailure(`${name} is missing.`);
  if (second !== undefined) throw usageFailure(`${JSON.stringify(second)} is one argument too many.`);
  return first;
}

function storeAt(store: string | undefined, folder: string): HistoryStore {
  if (store === undefined) throw usageFailure('--store URL is missing.');
  if (/^postgres(?:ql)?:/.test(store)) return { kind: 'postgres', url: store };
  const file = /^sqlite:(.+)$/s.exec(store)?.[1];
  if (file === undefined)
    throw usageFailure(`--store is ${JSON.stringify(store)}, expected sqlite:FILE or postgres://….`);
  return { kind: 'sqlite', file: resolve(folder, file) };
}
