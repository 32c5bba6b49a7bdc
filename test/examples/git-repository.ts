import { execFileSync, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { temporaryFolder } from '../support/temporary.ts';

export const hasGit: boolean = spawnSync('git', ['--version']).status === 0;

const identity = {
  GIT_AUTHOR_NAME: 'Ada Ahlgren',
  GIT_AUTHOR_EMAIL: 'ada@example.org',
  GIT_COMMITTER_NAME: 'Ben Óskarsson',
  GIT_COMMITTER_EMAIL: 'ben@example.org',
};

/** A repository in a temporary folder, untouched by the configuration of whoever runs the tests. */
export class GitRepository {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async create(...initArgs: readonly string[]): Promise<GitRepository> {
    const repository = new GitRepository(join(await temporaryFolder(), 'repository'));
    execFileSync('git', ['init', '--quiet', '--initial-branch=main', ...initArgs, repository.folder], { env });
    return repository;
  }

  static at(folder: string): GitRepository {
    return new GitRepository(folder);
  }

  git(args: readonly string[], input?: string | Uint8Array): Buffer {
    return execFileSync('git', ['-C', this.folder, ...args], { env, input, maxBuffer: 2 ** 28 });
  }

  text(...args: readonly string[]): string {
    return this.git(args).toString('utf8').trimEnd();
  }

  commit(message: string, ...args: readonly string[]): string {
    this.git(['commit', '--quiet', '--allow-empty', '-m', message, ...args]);
    return this.text('rev-parse', 'HEAD');
  }

  /** Oldest first. */
  firstParents(revision = 'HEAD'): readonly string[] {
    return this.text('rev-list', '--first-parent', '--reverse', revision, '--').split('\n');
  }

  lsTree(commit: string): Buffer {
    return this.git(['ls-tree', '-r', '--full-tree', commit]);
  }
}

export const env: NodeJS.ProcessEnv = {
  PATH: process.env['PATH'],
  ...identity,
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
};
