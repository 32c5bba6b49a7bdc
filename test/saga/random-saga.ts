/** Sagas whose stages are random, and random things that happen to them: on the run of a scenario, without an engine. */
import fc from 'fast-check';
import { z } from 'zod';
import { activity, child, command, complete, defineSaga, fail, FinalError, sleep, waitFor } from '../../src/index.ts';
import type { Compensation, Effect } from '../../src/index.ts';
import { hasEnded } from '../../src/saga/progress.ts';
import type { AnySaga } from '../../src/saga/saga.ts';
import { SagaRun } from '../../src/testing/saga-run.ts';
import { take } from '../../src/testing/take-happening.ts';
import { sagaHappenings } from '../../src/testing/saga-happenings.ts';

const act = activity({
  name: 'act',
  input: z.object({ n: z.number() }),
  output: z.object({ n: z.number() }),
  retry: { attempts: 2, backoffMs: 40 },
});
const undo = activity({
  name: 'undo',
  input: z.object({ key: z.string() }),
  output: z.null(),
  retry: { attempts: 2, backoffMs: 10 },
});

interface PlannedEffect {
  readonly kind: 'act' | 'command' | 'wait_a' | 'wait_b' | 'sleep' | 'child' | 'detached' | 'fail';
  readonly undo: 'none' | 'activity' | 'command' | 'of_result' | 'throws';
  /** What follows if it fails: that is what the saga fails with, or it goes on without. */
  readonly isVital: boolean;
}

/** Stages, each asked for when all of the one before is done with. */
export type Plan = readonly (readonly PlannedEffect[])[];

const planned = fc.record<PlannedEffect>({
  kind: fc.constantFrom('act', 'act', 'command', 'wait_a', 'wait_b', 'sleep', 'child', 'detached', 'fail'),
  undo: fc.constantFrom('none', 'activity', 'command', 'of_result', 'throws'),
  isVital: fc.boolean(),
});

export const anyPlan: fc.Arbitrary<Plan> = fc.array(fc.array(planned, { minLength: 1, maxLength: 3 }), {
  maxLength: 4,
});

interface State {
  /** Keys of effects that failed, and are gone on without. */
  readonly given_up: readonly string[];
  readonly seen: number;
}

function undoOf(key: string, how: PlannedEffect['undo']): { readonly compensate?: never } | object {
  const undone = (): Compensation => undo('', { key });
  switch (how) {
    case 'none':
      return {};
    case 'activity':
      return { compensate: undone() };
    case 'command':
      return {
        compensate: command(
          '',
          { aggregate: 'thing', id: key, command: 'undo', input: {} },
          { retry: { attempts: 2 } },
        ),
      };
    case 'of_result':
      return { compensate: (result: unknown) => (result === undefined ? undefined : undone()) };
    case 'throws':
      return {
        compensate: (result: unknown) => {
          if (result === undefined) throw new Error('nobody knows');
          return undone();
        },
      };
    default:
      return how satisfies never;
  }
}

function effectOf(key: string, { kind, undo: how }: PlannedEffect, n: number): Effect {
  const undone = undoOf(key, how);
  switch (kind) {
    case 'act':
      return act(key, { n }, undone);
    case 'command':
      return command(key, { aggregate: 'thing', id: '1', command: 'do', input: { n } }, undone);
    case 'wait_a':
      return waitFor(key, 'A', { timeoutMs: 100 });
    case 'wait_b':
      return waitFor(key, 'B', { timeoutMs: 30 });
    case 'sleep':
      return sleep(key, { ms: 50 });
    case 'child':
      return child(key, { name: 'small' }, key, { n }, undone);
    case 'detached':
      return child(key, { name: 'small' }, key, { n }, { ...undone, detached: true });
    case 'fail':
      return fail('planned', { n });
    default:
      return kind satisfies never;
  }
}

export function plannedSaga(plan: Plan): AnySaga {
  const stages = plan.map((stage, at) => stage.map((one, index) => ({ key: `${at}.${index}`, ...one })));
  const vital = new Map(stages.flat().map(({ key, isVital }) => [key, isVital]));
  return defineSaga({
    name: 'planned',
    events: { A: z.object({}), B: z.object({}), Poison: z.object({}), Bitter: z.object({}) },
    input: z.null(),
    activities: { act, undo },
    children: [{ name: 'small' }],
    id: () => '1',
    initialState: { given_up: [], seen: 0 } as State,
    evolve: (state, event) => {
      if (event.type === 'Poison') throw new Error('poisoned');
      const seen = state.seen + 1;
      const key = 'key' in event ? event.key : '';
      const hasFailed = event.type.endsWith('.failed') || event.type === 'wait.timed_out';
      return { given_up: hasFailed && vital.get(key) === false ? [...state.given_up, key] : state.given_up, seen };
    },
    next: ({ given_up: givenUp, seen }, { isDone }): readonly Effect[] => {
      if (seen === 13) throw new Error('unlucky');
      for (const stage of stages) {
        const due = stage.filter(({ key }) => !isDone(key) && !givenUp.includes(key));
        if (due.some(({ kind }) => kind === 'fail')) return [fail('planned')];
        if (due.length > 0) return due.map((one) => effectOf(one.key, one, seen));
      }
      return [complete({ seen })];
    },
  });
}

/** Picks one of several, by a number from 0 to 1. */
function pick<Value>(values: readonly Value[], luck: number): Value | undefined {
  return values[Math.min(values.length - 1, Math.floor(luck * values.length))];
}

/** What could happen to it now. */
function possible(run: SagaRun): readonly (() => void)[] {
  const { started } = run;
  const { completed, failed, lost, accepted, rejected, childCompleted, childFailed, timedOut } = sagaHappenings;
  const { passed, resolved, retried, signal, skipped } = sagaHappenings;
  const happen = (...all: readonly Parameters<typeof take>[1][]) => all.map((one) => () => take(run, one));
  const ways = happen(
    passed(7),
    passed(60),
    signal('A', {}),
    signal('B', {}),
    { type: 'A', data: {} },
    { type: 'Bitter', data: {} },
  );
  // What fires until then may have broken an attempt off.
  const hasTimers = [...started.effects.values()].some(({ timer }) => timer !== undefined);
  for (const { key, kind, status, name = '' } of started.effects.values()) {
    const returned = name === 'act' ? { n: 1 } : null;
    if (status === 'attempting') {
      const which = { key };
      ways.push(
        ...happen(
          completed(name as never, returned as never, which),
          completed(name as never, returned as never, which),
        ),
      );
      ways.push(
        ...happen(
          failed(name as never, new FinalError('refused'), which),
          failed(name as never, new Error('down'), which),
        ),
      );
      ways.push(...happen(lost(name as never, which)));
      if (!hasTimers) ways.push(...happen(timedOut(key)));
    }
    if (kind === 'child' && status === 'open')
      ways.push(...happen(childCompleted(key, { n: 2 }), childFailed(key, 'refused')));
  }
  const { command: due } = run.agenda();
  if (due !== undefined) ways.push(...happen(accepted(due.key), accepted(due.key), rejected(due.key, 'refused')));
  if (started.status === 'stuck') {
    ways.push(...happen(retried()));
    if (started.stuck?.key !== undefined) ways.push(...happen(skipped('it does not matter'), resolved({ n: 3 })));
  }
  return ways;
}

/** What happens only now and then. */
function rare(run: SagaRun): readonly (() => void)[] {
  const ways = [() => take(run, { type: 'Poison', data: {} })];
  if (run.started.failure === undefined) ways.push(() => take(run, sagaHappenings.cancelled('for a reason')));
  return ways;
}

/** Goes on until it has ended, or luck is used up. @param seen told after everything that happened. */
export function randomRun(plan: Plan, luck: readonly number[], seen: (run: SagaRun) => void = () => {}): SagaRun {
  const run = new SagaRun(plannedSaga(plan), { id: '1', now: 1_000, reconciles: plan.length % 2 === 0 ? ['act'] : [] });
  take(run, sagaHappenings.started(null as never));
  seen(run);
  for (const one of luck) {
    if (hasEnded(run.started)) break;
    const ways = one < 0.02 ? rare(run) : possible(run);
    pick(ways, one < 0.02 ? one * 50 : (one - 0.02) / 0.98)?.();
    seen(run);
  }
  return run;
}

export const anyLuck: fc.Arbitrary<readonly number[]> = fc.array(fc.double({ min: 0, max: 0.999, noNaN: true }), {
  maxLength: 60,
  size: 'max',
});
