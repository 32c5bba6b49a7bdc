import createCompletions from '@bomb.sh/tab/commander';
import { Command } from 'commander';
import { append } from './commands/append.ts';
import { backup, restore } from './commands/backup.ts';
import { copy } from './commands/copy.ts';
import { demo } from './commands/demo.ts';
import { doctor } from './commands/doctor.ts';
import { execute } from './commands/execute.ts';
import { exportEvents } from './commands/export.ts';
import { history } from './commands/history.ts';
import { importEvents } from './commands/import.ts';
import { init } from './commands/init.ts';
import { read } from './commands/read.ts';
import { state } from './commands/state.ts';
import { stats } from './commands/stats.ts';
import { streams } from './commands/streams.ts';
import { exitCodes, explain } from './failure.ts';
import { Terminal } from './terminal.ts';
import { packageVersion } from './package-root.ts';

const commands: readonly (readonly [group: string, commands: readonly Command[]])[] = [
  ['Begin:', [init, demo]],
  ['Look:', [streams, read, history, state, stats]],
  ['Do:', [append, execute]],
  ['Move:', [exportEvents, importEvents, copy]],
  ['Keep:', [backup, restore, doctor]],
];

/** Runs what was typed, and sets the exit code. */
export async function main(argv: readonly string[]): Promise<void> {
  const program = createProgram();
  try {
    if (argv.length <= 2) program.help({ error: true });
    await program.parseAsync(argv);
  } catch (error) {
    const { exitCode } = error as { exitCode?: unknown };
    // Help and version are printed, and done.
    if (exitCode === 0) return;
    const failure = explain(error);
    process.exitCode = failure.exitCode;
    if (failure.summary === '(outputHelp)') return;
    new Terminal(process.stdout, process.stderr, argv.includes('--json')).fail(failure);
  }
}

function createProgram(): Command {
  const program = new Command('eventsrc')
    .description('The command line of eventsrc: event sourcing for TypeScript.')
    .version(packageVersion, '-v, --version')
    .helpCommand(true)
    .addHelpText('after', overview);
  for (const [group, members] of commands) for (const command of members) program.addCommand(command.helpGroup(group));
  createCompletions(program);
  for (const command of [program, ...program.commands]) {
    command.exitOverride();
    // Said once, in our words, where it is caught.
    command.configureOutput({ outputError: () => {} });
  }
  return program;
}

const overview = `
Stores: sqlite:FILE, memory:. Named by --store, by EVENTSRC_STORE, or by eventsrc.config.ts in the current folder.
Exit codes: ${exitCodes.done} done, ${exitCodes.failed} failed, ${exitCodes.usage} not understood.
Completion: source <(eventsrc complete zsh), also bash, fish, powershell.

Examples:
  eventsrc demo                               a ticket shop, in a minute
  eventsrc init my-app                        a config, a first aggregate and its test
  eventsrc streams --store sqlite:bank.db     what is in a store
  eventsrc read --help                        examples of each command`;
