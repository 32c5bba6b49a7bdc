/** Laws of the fold of an instance's steps, over random sagas to which random things happen. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { agendaOf } from '../../src/saga/agenda.ts';
import { advance, hasEnded } from '../../src/saga/progress.ts';
import type { Progress } from '../../src/saga/progress.ts';
import type { SagaRun } from '../../src/testing/saga-run.ts';
import { anyLuck, anyPlan, plannedSaga, randomRun } from './random-saga.ts';

/** What steps are folded into, as whoever reads them does. */
function folded(run: SagaRun, from: Progress | undefined = undefined, steps = run.steps): Progress | undefined {
  const { saga } = run;
  let progress = from;
  for (const step of steps) {
    const version = (progress?.streamVersion ?? 0) + 1;
    progress = advance(saga, progress, { step, id: '1', version, correlationId: 'planned-1' });
  }
  return progress;
}

describe('the steps of an instance', () => {
  test('are folded into what whoever worked on it had, at every moment', () => {
    const ends = new Map<string, number>();
    fc.assert(
      fc.property(anyPlan, anyLuck, (plan, luck) => {
        const run = randomRun(plan, luck, (now) => expect(folded(now)).toEqual(now.progress));
        ends.set(run.started.status, (ends.get(run.started.status) ?? 0) + 1);
      }),
      { numRuns: 300 },
    );
    // The runs are worth something: all ends are among them.
    expect([...ends.keys()].toSorted()).toEqual(['compensated', 'compensating', 'completed', 'running', 'stuck']);
  });

  test('can be folded from any of them on, and folding changes nothing of what it began with', () => {
    fc.assert(
      fc.property(anyPlan, anyLuck, fc.nat(), (plan, luck, place) => {
        const run = randomRun(plan, luck);
        const at = place % (run.steps.length + 1);
        const before = folded(run, undefined, run.steps.slice(0, at));
        const copy = structuredClone(before);
        expect(folded(run, before, run.steps.slice(at))).toEqual(run.progress);
        expect(before).toEqual(copy);
      }),
      { numRuns: 200 },
    );
  });

  test('say all that follows: nothing more is due but what is waited for', () => {
    fc.assert(
      fc.property(anyPlan, anyLuck, (plan, luck) => {
        randomRun(plan, luck, (run) => {
          const { follows, rests } = run.agenda();
          expect(follows).toEqual([]);
          expect(rests).toBe(run.started.rests);
        });
      }),
      { numRuns: 200 },
    );
  });

  test('name all that was done and is to be undone: at the end of one that failed, every undo is completed', () => {
    fc.assert(
      fc.property(anyPlan, anyLuck, (plan, luck) => {
        const { started } = randomRun(plan, luck);
        const undone = started.undo.map(({ of }) => started.effects.get(`~${of}`)?.status);
        if (started.status === 'compensated') expect(undone.every((status) => status === 'completed')).toBe(true);
        if (started.status === 'completed') expect(undone.every((status) => status === undefined)).toBe(true);
        if (hasEnded(started))
          expect([...started.effects.values()].filter(({ timer }) => timer !== undefined)).toEqual([]);
        // Each effect is undone once, the last first.
        expect(new Set(started.undo.map(({ of }) => of)).size).toBe(started.undo.length);
        const firstOpen = undone.findLastIndex((status) => status !== 'completed');
        expect(undone.slice(0, Math.max(0, firstOpen)).every((status) => status === undefined)).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  test('are told once of a version that nobody knows: what is folded then is left as it was', () => {
    const run = randomRun([[{ kind: 'act', undo: 'none', isVital: true }]], []);
    const [first] = run.steps;
    if (first === undefined || first.on.kind !== 'started') throw new Error('it begins with its start');
    const foreign = { ...first, on: { ...first.on, version: 7 } };
    const progress = advance(plannedSaga([]), undefined, { step: foreign, id: '1', version: 1, correlationId: 'c' });
    expect(progress).toMatchObject({ version: 7, status: 'running', state: undefined });
    expect(progress.effects.get('0.0')?.status).toBe('attempting');
    expect(() =>
      agendaOf(progress, { saga: run.saga, now: 0, canReconcile: () => false, begun: () => undefined }),
    ).not.toThrow();
  });
});
