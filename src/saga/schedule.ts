/** Commands at a time, or again and again: a saga of the engine's own. */
import type { AggregateCommand, DecisionCommand } from '../command/command.ts';
import type { StandardSchemaV1 } from '../event/standard-schema.ts';
import { child, command, complete, fail, sleep } from './effect.ts';
import type { Effect } from './effect.ts';
import { defineSaga } from './define-saga.ts';
import type { AnySaga } from './saga.ts';

type PlainCommand = Omit<AggregateCommand, symbol> | Omit<DecisionCommand, symbol>;

interface Planned {
  readonly command: PlainCommand;
  /** Of the first time, in ms since the epoch. Default: once after `every`. */
  readonly at?: number;
  /** In ms; 0: once. */
  readonly every: number;
  /** The instance that was asked for; this one may be its successor. */
  readonly id: string;
  readonly generation: number;
}

interface ScheduleState extends Planned {
  /** Of the next time. */
  readonly at: number;
  /** How often it has run, in this generation. */
  readonly runs: number;
  readonly failure?: { readonly code: string; readonly message: string; readonly details?: unknown };
}

export const scheduleName = 'eventsrc_schedule';
/** A stream does not grow for ever. */
const runsMax = 1_000;

const anything: StandardSchemaV1<Planned> = {
  '~standard': { version: 1, vendor: 'eventsrc', validate: (value) => ({ value: value as Planned }) },
};

const unplanned: ScheduleState = {
  command: { decision: '', input: null },
  at: 0,
  every: 0,
  id: '',
  generation: 0,
  runs: 0,
};

export function successorOf(id: string, generation: number): string {
  return `${id}~${generation + 1}`;
}

const definition = defineSaga({
  name: scheduleName,
  events: {},
  input: anything,
  children: [{ name: scheduleName }],
  initialState: unplanned,
  evolve: (state, event): ScheduleState => {
    switch (event.type) {
      case 'started':
        return { ...event.data, at: event.data.at ?? event.at + event.data.every, runs: 0 };
      case 'command.completed':
      case 'command.failed': {
        const { failure: _, ...before } = state;
        // What was missed while nobody worked is made up for once.
        const missed = Math.max(0, Math.floor((event.at - state.at) / (state.every || 1)));
        const at = state.at + (missed + 1) * state.every;
        const failure = event.type === 'command.failed' ? { failure: event.data } : {};
        return { ...before, at, runs: state.runs + 1, ...failure };
      }
      default:
        return state;
    }
  },
  next: (state, { isDone }): readonly Effect[] => {
    const { runs, every, at, failure, id, generation } = state;
    if (every === 0 && runs > 0) {
      if (failure !== undefined) return [fail(failure.message, failure)];
      return [complete({ runs })];
    }
    if (runs >= runsMax) {
      const next: Planned = { command: state.command, at, every, id, generation: generation + 1 };
      const successor = successorOf(id, generation);
      return [child('successor', { name: scheduleName }, successor, next, { detached: true }), complete({ successor })];
    }
    const due = `due-${runs}`;
    return isDone(due) ? [command(`run-${runs}`, state.command)] : [sleep(due, { until: at })];
  },
});

export const scheduleSaga: AnySaga = definition;
