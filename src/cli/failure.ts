/** What a failure looks like to a user: one line that says what happened, one that says what to do. */
import { CommanderError } from 'commander';
import { EngineError } from '../ground/errors.ts';

export const exitCodes = { done: 0, failed: 1, usage: 2, interrupted: 130 } as const;

export interface Failure {
  /** For programs. */
  readonly code: string;
  readonly summary: string;
  readonly remedy: string;
  readonly exitCode: number;
}

/** A failure that the command line itself finds. */
export class CliError extends Error {
  readonly remedy: string;
  readonly isUsage: boolean;

  constructor(summary: string, remedy: string, options: ErrorOptions & { readonly isUsage?: boolean } = {}) {
    super(summary, options);
    this.remedy = remedy;
    this.isUsage = options.isUsage ?? false;
  }
}

/** What was typed cannot be meant. */
export function usageError(summary: string, remedy: string): CliError {
  return new CliError(summary, remedy, { isUsage: true });
}

/** Ends everything because nobody reads on, as after `| head`: no failure. */
export class ReaderGone extends Error {}

const unexpectedRemedy = 'Repeat with --debug to see where it comes from, and report it.';

/** Codes of the operating system (https://nodejs.org/api/errors.html#common-system-errors). */
const systemFailures: Readonly<Record<string, readonly [summary: string, remedy: string]>> = {
  EACCES: ['this user may not use it', 'Give this user the right to it, or name another file.'],
  EDQUOT: ['this user’s share of the disk is full', 'Free some space and repeat.'],
  EFBIG: ['it grew larger than files may be', 'Write to another disk, or raise the limit (ulimit -f).'],
  EIO: ['the disk failed', 'Check the disk.'],
  EISDIR: ['it is a folder', 'Name a file.'],
  ENAMETOOLONG: ['its name is too long', 'Choose a shorter name.'],
  ENOENT: ['it does not exist', 'Check the name; a folder is not made by itself.'],
  ENOSPC: ['the disk is full', 'Free some space and repeat.'],
  ENOTDIR: ['part of its path is no folder', 'Check the name.'],
  EPERM: ['this user may not use it', 'Give this user the right to it, or name another file.'],
  EROFS: ['the disk is read-only', 'Write to another disk.'],
};

/** Of errors that say that what was typed cannot be meant. */
const usageCodes: ReadonlySet<string> = new Set(['name_invalid', 'option_invalid', 'query_invalid']);

export function explain(error: unknown): Failure {
  if (error instanceof CommanderError) {
    const summary = error.message.replace(/^error: /, '').replaceAll(/\s+/g, ' ');
    return { code: 'usage', summary, remedy: 'Add --help to see what can be said.', exitCode: exitCodes.usage };
  }
  if (error instanceof CliError) {
    const { message: summary, remedy, isUsage } = error;
    return isUsage
      ? { code: 'usage', summary, remedy, exitCode: exitCodes.usage }
      : { code: 'failed', summary, remedy, exitCode: exitCodes.failed };
  }
  if (isEngineError(error)) {
    const { code, summary, remedy } = error;
    return { code, summary, remedy, exitCode: usageCodes.has(code) ? exitCodes.usage : exitCodes.failed };
  }
  return explainSystem(error) ?? { ...unexpected(error), exitCode: exitCodes.failed };
}

/** Also one from another copy of this package, which a config brought along. */
function isEngineError(error: unknown): error is EngineError {
  return error instanceof EngineError || (error instanceof Error && error.name === 'EngineError' && 'summary' in error);
}

function explainSystem(error: unknown): Failure | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code, path } = error as { code?: unknown; path?: unknown };
  const known = typeof code === 'string' ? systemFailures[code] : undefined;
  if (known === undefined) return undefined;
  const [summary, remedy] = known;
  const subject = typeof path === 'string' ? path : 'What was written to';
  return { code: String(code), summary: `${subject}: ${summary}.`, remedy, exitCode: exitCodes.failed };
}

function unexpected(error: unknown): Omit<Failure, 'exitCode'> {
  const summary = error instanceof Error && error.message !== '' ? error.message : String(error);
  return { code: 'unexpected', summary: `Unexpected: ${summary}`, remedy: unexpectedRemedy };
}
