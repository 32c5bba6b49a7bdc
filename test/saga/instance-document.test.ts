/** The view of instances says of each what its own fold says. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { foldInstance, instanceValue } from '../../src/saga/instance-document.ts';
import type { InstanceDocument } from '../../src/saga/instance-document.ts';
import { hasEnded } from '../../src/saga/progress.ts';
import type { Step } from '../../src/saga/step.ts';
import { documentText } from '../../src/store/document-value.ts';
import { anyLuck, anyPlan, randomRun } from './random-saga.ts';

const place = { id: '1', slot: 3, position: 5 };

function folded(steps: readonly Step[], before: InstanceDocument | null = null): InstanceDocument | null {
  let document = before;
  for (const [index, step] of steps.entries())
    document = foldInstance(document, step, { ...place, version: index + 1 });
  return document;
}

describe('the document of an instance', () => {
  test('says what the fold of its steps says: status, timers, what it is stuck at, and that it has ended', () => {
    fc.assert(
      fc.property(anyPlan, anyLuck, (plan, luck) => {
        randomRun(plan, luck, ({ steps, started }) => {
          const document = folded(steps);
          expect(document === null).toBe(hasEnded(started));
          if (document === null) return;
          const { status, version, rests, startedAt, changedAt, streamVersion, failure, stuck, effects } = started;
          const timers = [...effects.values()].flatMap(({ key, timer }) =>
            timer === undefined ? [] : [[key, timer.at]],
          );
          expect(document).toEqual({
            ...place,
            status,
            version,
            isBusy: !rests,
            timers: Object.fromEntries(timers),
            ...(timers.length > 0 && { dueAt: Math.min(...timers.map(([, at]) => at as number)) }),
            startedAt,
            changedAt,
            streamVersion,
            ...(failure !== undefined && { failure }),
            ...(stuck !== undefined && { stuck }),
          });
        });
      }),
      { numRuns: 300 },
    );
  });

  test('is not changed by steps that it has seen', () => {
    fc.assert(
      fc.property(anyPlan, anyLuck, (plan, luck) => {
        const { steps } = randomRun(plan, luck);
        const document = folded(steps);
        if (document !== null) expect(folded(steps, document)).toEqual(document);
      }),
      { numRuns: 100 },
    );
  });

  test('is there before its first step is come to, and that one begins it then', () => {
    const { steps } = randomRun([[{ kind: 'sleep', undo: 'none', isVital: true }]], []);
    const early: InstanceDocument = {
      ...place,
      version: 1,
      status: 'running',
      isBusy: true,
      timers: {},
      startedAt: 1_000,
      changedAt: 1_000,
      streamVersion: 0,
    };
    expect(folded(steps, early)).toEqual(folded(steps));
  });

  test('can be kept whatever a failure says, a key is or a reason holds', () => {
    const details = { text: 'a\0b', ['k\0']: 1 };
    const start: Step = { on: { kind: 'started', version: 1, input: null }, at: 1, rests: true };
    const cancelled: Step = { on: { kind: 'cancel', reason: 'no\0pe' }, at: 2 };
    const failed: Step = {
      on: { kind: 'taken_up' },
      at: 3,
      follows: [
        { kind: 'compensating', failure: { code: 'x\0', message: 'y\0', details } },
        { kind: 'stuck', key: '~a', failure: { code: 'x', message: 'z\0', details } },
      ],
    };
    const timed: Step = {
      on: { kind: 'taken_up' },
      at: 4,
      follows: [{ kind: 'timer', key: '__proto__', at: 9, for: 'sleep' }],
    };
    for (const steps of [
      [start, cancelled],
      [start, failed],
      [start, timed],
    ]) {
      const document = folded(steps) as InstanceDocument;
      expect(JSON.parse(documentText(instanceValue(document)))).toEqual(JSON.parse(JSON.stringify(document)));
    }
    expect(folded([start, cancelled])?.failure).toEqual({ code: 'cancelled', message: 'no\ufffdpe' });
    expect(folded([start, failed])).toMatchObject({
      failure: { code: 'x\ufffd', message: 'y\ufffd' },
      stuck: { key: '~a' },
    });
    expect(folded([start, timed])?.dueAt).toBe(9);
    const kept = { code: 'x', message: 'y', details: { text: String.raw`a\u0000` } };
    const harmless: Step = { on: { kind: 'taken_up' }, at: 3, follows: [{ kind: 'compensating', failure: kept }] };
    expect(folded([start, harmless])?.failure?.code).toBe('x');
  });
});
