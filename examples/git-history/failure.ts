import { EngineError } from 'eventsrc';

export const exitCodes = { done: 0, failed: 1, usage: 2, interrupted: 130 } as const;

/** Something that went wrong in a way the user can do something about. */
export class Failure extends Error {
  override readonly name = 'Failure';
  readonly remedy: string;
  readonly exitCode: number;

  /** Both texts are sentences. */
  constructor(message: string, remedy: string, options: ErrorOptions & { readonly exitCode?: number } = {}) {
    super(message, options);
    this.remedy = remedy;
    this.exitCode = options.exitCode ?? exitCodes.failed;
  }
}

/** A command line that cannot be meant. */
export function usageFailure(message: string): Failure {
  return new Failure(message, 'See `npm run --silent git-history -- --help`.', { exitCode: exitCodes.usage });
}

/** One line for a person: what went wrong, and what to do about it. */
export function describeFailure(error: unknown): string {
  return explain(error).replaceAll(/\s+/g, ' ').trim();
}

function explain(error: unknown): string {
  if (error instanceof Failure) return `${error.message} ${error.remedy}`;
  // Its message ends with its remedy.
  if (error instanceof EngineError) return error.message;
  return `Unexpected: ${error instanceof Error ? error.message : String(error)}. This is a defect of the example: please report it.`;
}
