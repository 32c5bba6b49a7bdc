/** Completion in shells: of commands and options, of the names that the config gives to projections, tables, reactors, sagas and types of events, and of instances of sagas. */
import createCompletions from '@bomb.sh/tab/commander';
import type { Command } from 'commander';
import { declaredTypes, nameOf } from '../schema/declared.ts';
import { loadConfig } from './config-file.ts';
import type { LoadedConfig } from './config-file.ts';
import { completedInstances } from './completed-instances.ts';
import { consumersOf } from './definitions.ts';

/** What can be completed, and what it is. */
export interface Named {
  readonly name: string;
  readonly kind: string;
}

const kept = ['projection', 'tables', 'reactor', 'saga'];
const sagaCommands = ['show', 'retry', 'skip', 'resolve', 'cancel', 'signal'].map((member) => `saga ${member}`);

/** Arguments of commands that are such names, and what kinds of things can be named there. */
const completed: Readonly<Record<string, readonly [argument: string, kinds: readonly string[]]>> = {
  query: ['view', ['projection']],
  rebuild: ['name', ['projection']],
  parked: ['name', kept],
  'projections retry': ['name', kept],
  'projections skip': ['name', kept],
  'projections unpark': ['name', kept],
  'projections adopt': ['name', ['projection']],
  'projections drop-version': ['name', ['projection']],
  'projections drop': ['name', ['projection']],
  'schema show': ['type', ['event']],
  'schema diff': ['type', ['event']],
  ...Object.fromEntries(sagaCommands.map((command) => [command, ['saga', ['saga']]] as const)),
};

/** Commands with an option that takes such a name. */
const completedOptions: readonly (readonly [command: string, option: string, kind: string])[] = [
  ...['replay', 'diff', 'why', 'what-if'].map((command) => [command, 'view', 'projection'] as const),
  ['sagas', 'saga', 'saga'],
];

/** What a shell can be told. */
export interface Completed {
  readonly named: readonly Named[];
  /** Of the saga that was typed. */
  readonly instances: readonly Named[];
}

/** Those of the config in the current folder, when a shell asks; none where it cannot be loaded: nobody could be told why. */
export async function whatCompletes(argv: readonly string[], signal: AbortSignal): Promise<Completed> {
  const words = argv[2] === 'complete' ? argv.slice(argv.indexOf('--') + 1) : [];
  const [asked = ''] = words;
  const known = [
    ...Object.keys(completed).map((command) => command.split(' ')[0]),
    ...completedOptions.map(([command]) => command),
  ];
  if (!known.includes(asked)) return { named: [], instances: [] };
  try {
    const config = await loadConfig(undefined);
    const named = asked === 'schema' ? typesOf(config) : consumersOf(config);
    return { named, instances: await completedInstances(words, signal) };
  } catch {
    return { named: [], instances: [] };
  }
}

function typesOf({ aggregates = [], decisions = [] }: LoadedConfig): readonly Named[] {
  return declaredTypes(aggregates, decisions).map((type) => ({ name: nameOf(type), kind: 'event' }));
}

export function addCompletion(program: Command, { named, instances }: Completed): void {
  const { commands } = createCompletions(program);
  for (const [command, [argument, kinds]] of Object.entries(completed)) {
    const found = commands.get(command)?.arguments.get(argument);
    if (found === undefined) throw new Error(`eventsrc ${command} has no argument ${argument}`);
    found.handler = (complete) => {
      for (const { name, kind } of named) if (kinds.includes(kind)) complete(name, kind);
    };
  }
  for (const command of sagaCommands) {
    const found = commands.get(command)?.arguments.get('id');
    if (found === undefined) throw new Error(`eventsrc ${command} has no argument id`);
    found.handler = (complete) => {
      for (const { name, kind } of instances) complete(name, kind);
    };
  }
  for (const [command, option, wanted] of completedOptions) {
    const found = commands.get(command)?.options.get(option);
    if (found === undefined) throw new Error(`eventsrc ${command} has no option --${option}`);
    found.handler = (complete) => {
      for (const { name, kind } of named) if (kind === wanted) complete(name, kind);
    };
  }
}
