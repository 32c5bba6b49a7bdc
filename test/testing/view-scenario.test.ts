import { expect, test } from 'vitest';
import { given } from 'eventsrc/testing';
import { account } from '../command/account.ts';
import { balances } from '../projection/balances.ts';

const opened = { stream: account.stream('1'), type: 'AccountOpened', data: { owner: 'Ada' } } as const;

test('given events, then the view', async () => {
  await given(balances, [
    opened,
    { stream: 'account-1', type: 'MoneyDeposited', data: { amount: 5 } },
    { stream: 'account-2', type: 'AccountOpened', data: { owner: 'Bob' } },
    { stream: 'account-2', type: '$deleted' },
  ]).thenView({ '1': { owner: 'Ada', balance: 5, changes: [1, 2] } });
});

test('another view is a failure that shows both', async () => {
  const wrong = given(balances, [opened]).thenView({ '1': { owner: 'Bob', balance: 0, changes: [1] } });
  await expect(wrong).rejects.toMatchObject({ name: 'AssertionError', actual: { '1': { owner: 'Ada' } } });
});

test('an event that is none fails the scenario', async () => {
  // @ts-expect-error no such event
  await expect(given(balances, [{ ...opened, type: 'Opened' }]).thenView({})).rejects.toMatchObject({
    code: 'event_type_unknown',
  });
});
