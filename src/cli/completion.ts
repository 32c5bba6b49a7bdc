/** Completion in shells: of commands and options, and of the names that the config gives to projections, tables and reactors. */
import createCompletions from '@bomb.sh/tab/commander';
import type { Command } from 'commander';
import { loadConfig } from './config-file.ts';
import { consumersOf } from './consumers.ts';

/** What can be completed, and what it is. */
export interface Named {
  readonly name: string;
  readonly kind: string;
}

/** Arguments of commands that are such names, and what kinds of consumers can be named there. */
const completed: Readonly<Record<string, readonly [argument: string, kinds: readonly string[]]>> = {
  query: ['view', ['projection']],
  rebuild: ['name', ['projection']],
  parked: ['name', ['projection', 'tables', 'reactor']],
  'projections retry': ['name', ['projection', 'tables', 'reactor']],
  'projections skip': ['name', ['projection', 'tables', 'reactor']],
  'projections unpark': ['name', ['projection', 'tables', 'reactor']],
  'projections adopt': ['name', ['projection']],
  'projections drop-version': ['name', ['projection']],
  'projections drop': ['name', ['projection']],
};

/** Commands with an option that takes the name of a projection. */
const viewOptions: readonly string[] = ['replay', 'diff', 'why', 'what-if'];

/** Those of the config in the current folder, when a shell asks; none where it cannot be loaded: nobody could be told why. */
export async function completedConsumers(argv: readonly string[]): Promise<readonly Named[]> {
  const asked = argv[2] === 'complete' ? argv[argv.indexOf('--') + 1] : undefined;
  const known = [...Object.keys(completed).map((command) => command.split(' ')[0]), ...viewOptions];
  if (asked === undefined || !known.includes(asked)) return [];
  try {
    return consumersOf(await loadConfig(undefined));
  } catch {
    return [];
  }
}

export function addCompletion(program: Command, consumers: readonly Named[]): void {
  const { commands } = createCompletions(program);
  for (const [command, [argument, kinds]] of Object.entries(completed)) {
    const found = commands.get(command)?.arguments.get(argument);
    if (found === undefined) throw new Error(`eventsrc ${command} has no argument ${argument}`);
    found.handler = (complete) => {
      for (const { name, kind } of consumers) if (kinds.includes(kind)) complete(name, kind);
    };
  }
  for (const command of viewOptions) {
    const found = commands.get(command)?.options.get('view');
    if (found === undefined) throw new Error(`eventsrc ${command} has no option --view`);
    found.handler = (complete) => {
      for (const { name, kind } of consumers) if (kind === 'projection') complete(name, kind);
    };
  }
}
