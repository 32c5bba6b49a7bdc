/** A git repository as a source of history: only plumbing commands, whose output no user's configuration alters. */
import { stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { Failure } from './failure.ts';
import { GitProcess, gitText } from './git-process.ts';
import type { Commit, HistorySource } from './history-source.ts';
import { parseRawDiff } from './raw-diff.ts';
import { splitRecords } from './records.ts';

const newline = 0x0a;
const nul = 0x00;

const diffTreeArgs = [
  'diff-tree',
  '--stdin',
  '-z',
  '--raw',
  '-r',
  '--root',
  // Empty commits are commits too.
  '--always',
  '--no-renames',
  '--no-abbrev',
  // Whatever .gitmodules says, a submodule that moved is a change.
  '--ignore-submodules=none',
];

/** What `git rev-list` says of a commit. */
type CommitHeader = Omit<Commit, 'changes'>;
const headerFormat = '--format=%an%x00%ae%x00%at%x00%ct%x00%s';

/**
 * The first-parent history of `revision` in the repository at `folder`: a working tree, any folder in it, or a bare
 * repository.
 * @throws {Failure} if there is no git, no repository, or no such commit.
 */
export async function openGitSource(folder: string, revision = 'HEAD'): Promise<HistorySource> {
  const gitDir = await findGitDir(folder);
  const git = [`--git-dir=${gitDir}`];
  const tip = await findCommit(git, folder, revision);
  const quotePath = await readQuotePath(git);
  return new GitSource(folder, git, tip, quotePath);
}

class GitSource implements HistorySource {
  readonly name: string;
  readonly tip: string;
  readonly quotePath: boolean;
  /** The options that make git work on this repository, wherever it is run. */
  readonly #git: readonly string[];

  constructor(name: string, git: readonly string[], tip: string, quotePath: boolean) {
    this.name = name;
    this.tip = tip;
    this.quotePath = quotePath;
    this.#git = git;
  }

  async countAfter(commit: string | null): Promise<number | undefined> {
    const args = ['rev-list', '--first-parent', this.tip];
    if (commit === null) return Number(await gitText(this.#git, [...args, '--count', '--']));
    await using list = new GitProcess(this.#git, [...args, '--']);
    list.input.end();
    let count = 0;
    for await (const id of splitRecords(list.output(), newline)) {
      if (id.toString('latin1') === commit) return count;
      count += 1;
    }
    return undefined;
  }

  async *commits(after: string | null, signal?: AbortSignal): AsyncGenerator<Commit> {
    try {
      yield* this.#commits(after, signal);
    } catch (error) {
      // The processes that were stopped say that they were.
      if (signal?.aborted !== true) throw error;
    }
  }

  async *#commits(after: string | null, signal: AbortSignal | undefined): AsyncGenerator<Commit> {
    const range = after === null ? [this.tip] : [this.tip, `^${after}`];
    const listArgs = ['rev-list', '--first-parent', '--reverse', '--encoding=UTF-8', headerFormat, ...range, '--'];
    await using list = new GitProcess(this.#git, listArgs, signal);
    await using diff = new GitProcess(this.#git, diffTreeArgs, signal);
    list.input.end();

    /** Sent to diff-tree but not yet answered: as many as the pipes between hold. */
    const sent: CommitHeader[] = [];
    const sending = pipeline(
      parseHeaders(splitRecords(list.output(), newline), after),
      async function* (headers: AsyncIterable<CommitHeader>) {
        for await (const header of headers) {
          sent.push(header);
          // The predecessor in the list stands in for the parents: a merge is compared with its first parent alone.
          yield header.parent === null ? `${header.id}\n` : `${header.id} ${header.parent}\n`;
        }
      },
      diff.input,
    ).then(
      () => undefined,
      (error: unknown) => ({ error }),
    );
    for await (const { id, changes } of parseRawDiff(splitRecords(diff.output(), nul))) {
      const header = sent.shift();
      if (header?.id !== id) throw new Error(`git diff-tree answered for ${id} instead of ${header?.id}`);
      yield { ...header, changes };
    }
    const failed = await sending;
    if (failed !== undefined) throw failed.error;
    if (sent.length > 0) throw new Error(`git diff-tree left out ${sent[0]?.id}`);
  }
}

/** Two lines for each commit: `commit <id>`, and the fields of `headerFormat`. */
async function* parseHeaders(lines: AsyncIterable<Buffer>, after: string | null): AsyncGenerator<CommitHeader> {
  let parent = after;
  let id: string | undefined;
  for await (const line of lines) {
    // Bytes that are not the encoding that the commit declares become U+FFFD: these fields are for people only.
    const text = line.toString('utf8');
    if (id === undefined) {
      id = text.replace(/^commit /, '');
      continue;
    }
    const [name = '', email = '', authored = '', committed = '', subject = ''] = text.split('\0');
    yield { id, parent, author: { name, email }, subject, authoredAt: toMs(authored), committedAt: toMs(committed) };
    parent = id;
    id = undefined;
  }
}

function toMs(seconds: string): number | null {
  const ms = seconds === '' ? Number.NaN : Number(seconds) * 1_000;
  return Number.isSafeInteger(ms) ? ms : null;
}

async function findGitDir(folder: string): Promise<string> {
  const found = await stat(folder).catch(() => undefined);
  if (found?.isDirectory() !== true) {
    throw new Failure(`${folder} is not a folder.`, 'Name the folder of a clone, or a bare repository.');
  }
  try {
    return (await gitText(['-C', folder], ['rev-parse', '--absolute-git-dir'])).replace(/\n$/, '');
  } catch (cause) {
    const message = cause instanceof Failure ? cause.message : '';
    if (message.includes('not a git repository')) {
      throw new Failure(`${folder} is not a git repository.`, 'Name the folder of a clone, or a bare repository.', {
        cause,
      });
    }
    if (message.includes('dubious ownership')) {
      const remedy = `If you trust them, run \`git config --global --add safe.directory ${folder}\`.`;
      throw new Failure(`${folder} belongs to someone else, so git does not read it.`, remedy, { cause });
    }
    throw cause;
  }
}

async function findCommit(git: readonly string[], folder: string, revision: string): Promise<string> {
  // Resolved by itself first: appended to `:/text`, `^{commit}` would be part of the text.
  const object = await verify(git, revision);
  const commit = object && (await verify(git, `${object}^{commit}`));
  if (commit !== undefined) return commit;
  if (object !== undefined)
    throw new Failure(`${revision} is not a commit.`, 'Name a commit, a branch or a tag with --rev.');
  if (revision === 'HEAD') {
    throw new Failure(
      `${folder} has no commit yet at HEAD.`,
      'Make a commit first, or name another branch with --rev.',
    );
  }
  throw new Failure(
    `${folder} has no revision ${JSON.stringify(revision)}.`,
    'Look with `git log`, or fetch it first.',
  );
}

async function verify(git: readonly string[], revision: string): Promise<string | undefined> {
  // Nothing that begins with a dash is a revision; git would take it for an option.
  if (revision.startsWith('-')) return undefined;
  // That the repository can be read was seen before, so if this fails it is for the revision.
  const printed = await gitText(git, ['rev-parse', '--verify', '--quiet', revision]).catch(() => '');
  return /^[0-9a-f]{40,64}$/.exec(printed.trimEnd())?.[0];
}

async function readQuotePath(git: readonly string[]): Promise<boolean> {
  // Fails where it is not set: it is true by default.
  const printed = await gitText(git, ['config', '--get', '--bool', 'core.quotePath']).catch(() => '');
  return printed.trimEnd() !== 'false';
}
