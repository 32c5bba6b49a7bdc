import { Command, CommanderError } from 'commander';
import { append } from './commands/append.ts';
import { backup, restore } from './commands/backup.ts';
import { bench } from './commands/bench.ts';
import { copy } from './commands/copy.ts';
import { demo } from './commands/demo.ts';
import { diff } from './commands/diff.ts';
import { doctor } from './commands/doctor.ts';
import { execute } from './commands/execute.ts';
import { exportEvents } from './commands/export.ts';
import { history } from './commands/history.ts';
import { importEvents } from './commands/import.ts';
import { init } from './commands/init.ts';
import { migrate } from './commands/migrate.ts';
import { parked } from './commands/parked.ts';
import { projections } from './commands/projections.ts';
import { query } from './commands/query.ts';
import { read } from './commands/read.ts';
import { rebuild } from './commands/rebuild.ts';
import { replay } from './commands/replay.ts';
import { saga } from './commands/saga.ts';
import { sagas } from './commands/sagas.ts';
import { schema } from './commands/schema.ts';
import { snapshots } from './commands/snapshots.ts';
import { state } from './commands/state.ts';
import { stats } from './commands/stats.ts';
import { streams } from './commands/streams.ts';
import { tail } from './commands/tail.ts';
import { whatIf } from './commands/what-if.ts';
import { why } from './commands/why.ts';
import { addCompletion, whatCompletes } from './completion.ts';
import type { Completed } from './completion.ts';
import { addCommon } from './define.ts';
import type { CommandOf } from './define.ts';
import { exitCodes } from './failure.ts';
import { packageVersion } from './package-root.ts';
import { runToEnd } from './runner.ts';
import type { Run } from './runner.ts';

const commands: readonly (readonly [group: string, commands: readonly CommandOf[]])[] = [
  ['Begin:', [init, demo]],
  ['Look:', [streams, read, tail, history, state, stats]],
  ['Time:', [replay, diff, why, whatIf, snapshots]],
  ['Views:', [query, projections, rebuild, parked]],
  ['Sagas:', [sagas, saga]],
  ['Schemas:', [schema]],
  ['Do:', [append, execute]],
  ['Move:', [exportEvents, importEvents, copy]],
  ['Keep:', [backup, restore, doctor, migrate, bench]],
];

/** Runs what was typed, and ends the process. */
export function main(argv: readonly string[]): Promise<never> {
  return runToEnd(argv, async (run) => {
    const program = createProgram(run, await whatCompletes(argv, run.signal));
    try {
      if (argv.length <= 2) program.help({ error: true });
      await program.parseAsync(argv);
    } catch (error) {
      if (!(error instanceof CommanderError)) throw error;
      // Help is printed, and that is all.
      if (error.exitCode !== 0 && error.code !== 'commander.help') throw error;
      run.exitCode = error.exitCode === 0 ? exitCodes.done : exitCodes.usage;
    }
  });
}

function createProgram(run: Run, completed: Completed): Command {
  const program = new Command('eventsrc')
    .description('The command line of eventsrc: event sourcing for TypeScript.')
    .version(packageVersion, '-v, --version')
    .helpCommand(true)
    .enablePositionalOptions()
    .addHelpText('after', overview);
  addCommon(program, false);
  for (const [group, members] of commands)
    for (const member of members) program.addCommand(member(run).helpGroup(group));
  addCompletion(program, completed);
  quieten(program);
  return program;
}

function quieten(command: Command): void {
  command.exitOverride();
  // Said once, in our words, where it is caught.
  command.configureOutput({ outputError: () => {} });
  for (const member of command.commands) quieten(member);
}

const overview = `
Stores: sqlite:FILE, postgres://USER:PASSWORD@HOST/DATABASE?schema=SCHEMA, memory:. Named by --store, by EVENTSRC_STORE, or by eventsrc.config.ts in the current folder.
Exit codes: ${exitCodes.done} done, ${exitCodes.failed} failed, ${exitCodes.usage} not understood.
Completion: source <(eventsrc complete zsh), also bash, fish, powershell.

Examples:
  eventsrc demo                               a ticket shop, in a minute
  eventsrc init my-app                        a config, a first aggregate, a first view
  eventsrc streams --store sqlite:bank.db     what is in a store
  eventsrc read --help                        examples of each command`;
