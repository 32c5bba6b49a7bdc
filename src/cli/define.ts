import { Command } from 'commander';
import { exitCodes } from './failure.ts';
import type { Run } from './runner.ts';
import { Session } from './session.ts';
import type { CommonOptions } from './session.ts';

interface Definition {
  /** With its arguments, as commander writes them: `read [stream]`. */
  readonly usage: string;
  /** In a few words, for the list of commands. */
  readonly summary: string;
  readonly does: string;
  /** What can be typed, after `eventsrc `, and what it does. */
  readonly examples: readonly (readonly [typed: string, does: string])[];
  /** Whether it has no store to be named. */
  readonly isStoreless?: boolean;
}

/** A command with what all have in common. */
export function defineCommand({ usage, summary, does, examples, isStoreless = false }: Definition): Command {
  const [name = '', ...parameters] = usage.split(' ');
  const command = new Command(name).summary(summary).description(does).showHelpAfterError(false);
  for (const parameter of parameters) command.argument(parameter);
  addCommon(command, isStoreless);
  const width = Math.max(...examples.map(([typed]) => typed.length));
  const lines = examples.map(([typed, meaning]) => `  eventsrc ${typed.padEnd(width)}   ${meaning}`);
  return command.addHelpText('after', `\nExamples:\n${lines.join('\n')}`);
}

/** They can stand before the command, too. */
export function addCommon(command: Command, isStoreless: boolean): Command {
  if (!isStoreless) {
    command.option(
      '--store <url>',
      'sqlite:FILE, postgres://… or memory: (default: EVENTSRC_STORE, then the config’s store)',
    );
    command.option('--config <file>', 'instead of eventsrc.config.ts in the current folder');
  }
  command.option('--json', 'print JSON, one value a line; errors too, on stderr');
  return command.option('--debug', 'show where an error comes from');
}

/** A command that is part of a run. */
export type CommandOf = (run: Run) => Command;

/**
 * What a command does, in a session of its own; returns an exit code other than 0 where nothing failed and yet it is not
 * done. Here, and only here, what commander parsed is taken to have the types that the command's definition gives it.
 */
export function action<Arguments extends readonly (string | undefined)[], Options>(
  command: Command,
  work: (session: Session, options: Options & CommonOptions, ...given: Arguments) => Promise<number | void>,
): CommandOf {
  return (run) =>
    command.action(async (...parsed: unknown[]) => {
      const given = parsed.slice(0, -2) as unknown as Arguments;
      const options = { ...command.parent?.opts(), ...(parsed.at(-2) as object) } as Options & CommonOptions;
      const session = new Session(run.terminal, run.signal, options);
      run.exitCode = (await work(session, options, ...given)) ?? exitCodes.done;
    });
}
