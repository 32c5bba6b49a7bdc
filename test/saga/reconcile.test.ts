/** Before it is decided what follows from an attempt that may have happened, the outside system is asked. */
import { expect, test } from 'vitest';
import { z } from 'zod';
import { FinalError, activity, defineSaga, memory, openEngine, steps } from '../../src/index.ts';
import type { AnyImplementation, Reconciled } from '../../src/index.ts';

const charge = activity({
  name: 'charge',
  input: z.object({}),
  output: z.object({ chargeId: z.string() }),
  timeoutMs: 60_000,
  retry: { attempts: 1 },
});
const refund = activity({
  name: 'refund',
  input: z.object({ chargeId: z.string() }),
  output: z.object({}),
  retry: { attempts: 1 },
});
const refuse = activity({ name: 'refuse', input: z.object({}), output: z.object({}) });

/** What became of the charge, as far as the saga knew when it was to be undone. */
const undone = (result: { chargeId: string } | undefined, isUnknown: boolean) =>
  refund('refund', { chargeId: result?.chargeId ?? (isUnknown ? 'perhaps' : 'none') });

const alone = defineSaga({
  name: 'alone',
  input: z.object({}),
  events: {},
  activities: { charge, refund },
  initialState: {},
  evolve: (state) => state,
  next: steps([() => charge('charge', {}, { compensate: (result, { isUnknown }) => undone(result, isUnknown) })]),
});
const beside = defineSaga({
  name: 'beside',
  input: z.object({}),
  events: {},
  activities: { charge, refund, refuse },
  initialState: {},
  evolve: (state) => state,
  next: steps([
    [
      () => charge('charge', {}, { compensate: (result, { isUnknown }) => undone(result, isUnknown) }),
      () => refuse('refuse', {}),
    ],
  ]),
});

async function open(run: () => Promise<{ chargeId: string }>, found: Reconciled<{ chargeId: string }>) {
  const refunds: string[] = [];
  const asked: string[] = [];
  const bank = { isOpen: true };
  const begun = Promise.withResolvers<void>();
  const activities: AnyImplementation[] = [
    charge.implement(
      () => {
        begun.resolve();
        return run();
      },
      {
        reconcile: (_input, { idempotencyKey }) => {
          asked.push(idempotencyKey);
          return found;
        },
      },
    ),
    refund.implement(
      ({ chargeId }, { idempotencyKey }) => {
        refunds.push(`${chargeId} ${idempotencyKey}`);
        if (!bank.isOpen) throw new Error('the bank is closed');
        return {};
      },
      {
        reconcile: (_input, { idempotencyKey }) => {
          asked.push(idempotencyKey);
          if (!bank.isOpen) throw new Error('the bank is closed');
          return { kind: 'not_found' };
        },
      },
    ),
    refuse.implement(async () => {
      await begun.promise;
      throw new FinalError('no');
    }),
  ];
  const engine = await openEngine({ store: memory(), sagas: [alone, beside], activities, hooks: { saga: () => {} } });
  return { engine, refunds, asked, bank };
}

const lost = () => Promise.reject(new Error('the answer was lost'));
const never = () => new Promise<never>(() => {});

test('a last attempt whose answer was lost has succeeded where the outside system says so', async () => {
  const { engine, refunds, asked } = await open(lost, { kind: 'completed', output: { chargeId: 'c-1' } });
  await using open1 = engine;
  const instance = await open1.start(alone, '1', {});
  expect(await instance.result()).toMatchObject({ kind: 'completed' });
  expect((await instance.state()).effects['charge']).toMatchObject({
    status: 'completed',
    result: { chargeId: 'c-1' },
  });
  expect({ refunds, asked }).toEqual({ refunds: [], asked: ['alone-1/charge'] });
});

test('one of which the outside system knows nothing did not happen, and is undone as such', async () => {
  const { engine, refunds } = await open(lost, { kind: 'not_found' });
  await using open1 = engine;
  expect(await (await open1.start(alone, '1', {})).result()).toMatchObject({
    kind: 'compensated',
    failure: { code: 'error', message: 'the answer was lost' },
  });
  expect(refunds).toEqual(['none alone-1/~charge']);
});

test('one that is broken off, since another effect has failed, is undone as what it came to', async () => {
  const { engine, refunds } = await open(never, { kind: 'completed', output: { chargeId: 'c-2' } });
  await using open1 = engine;
  expect(await (await open1.start(beside, '1', {})).result()).toMatchObject({ kind: 'compensated' });
  expect(refunds).toEqual(['c-2 beside-1/~charge']);
});

test('what an operator has tried again, under another key, is asked about under the one before', async () => {
  const { engine, refunds, asked, bank } = await open(never, { kind: 'completed', output: { chargeId: 'c-3' } });
  await using open1 = engine;
  bank.isOpen = false;
  const instance = await open1.start(beside, '1', {});
  expect(await instance.result()).toMatchObject({ kind: 'stuck', key: '~charge' });
  bank.isOpen = true;
  asked.length = 0;
  await instance.retry({ actor: 'ada' });
  expect(await instance.result()).toMatchObject({ kind: 'compensated' });
  expect(asked).toEqual(['beside-1/~charge']);
  expect(refunds.at(-1)).toBe('c-3 beside-1/~charge/2');
});
