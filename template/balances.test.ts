/** Run by `npm test`. No database here either: what has happened, and the view that it makes. */
import { test } from 'node:test';
import { given } from 'eventsrc/testing';
import { balances } from './balances.ts';

test('a balance is what was paid in, less what was taken out', async () => {
  await given(balances, [
    { stream: 'account-1', type: 'AccountOpened', data: { owner: 'Ada' } },
    { stream: 'account-2', type: 'AccountOpened', data: { owner: 'Bob' } },
    { stream: 'account-1', type: 'MoneyDeposited', data: { amount: 50 } },
    { stream: 'account-1', type: 'MoneyWithdrawn', data: { amount: 20 } },
  ]).thenView({ '1': { owner: 'Ada', balance: 30 }, '2': { owner: 'Bob', balance: 0 } });
});
