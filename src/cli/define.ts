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
      const options = optionsOf(command) as Options & CommonOptions;
      const session = new Session(run.terminal, run.signal, options);
      run.exitCode = (await work(session, options, ...given)) ?? exitCodes.done;
    });
}

/** What stands behind the command itself says more than what stands before it. */
function optionsOf(command: Command): object {
  return { ...(command.parent === null ? {} : optionsOf(command.parent)), ...command.opts() };
}

/** A command with others below it: `projections retry …`. Without one of their names it does what it does by itself. */
export function withMembers(parent: CommandOf, members: readonly CommandOf[]): CommandOf {
  return (run) => {
    const command = parent(run).helpCommand(false).enablePositionalOptions();
    for (const member of members) command.addCommand(member(run));
    return command;
  };
}
