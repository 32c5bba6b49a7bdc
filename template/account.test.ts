/** Run by `npm test`. No database: what was, what is asked, what should come of it. */
import { test } from 'node:test';
import { given } from 'eventsrc/testing';
import { account } from './account.ts';

const { open, withdraw } = account.commands;
const opened = { type: 'AccountOpened', data: { owner: 'Ada' } } as const;
const deposited = { type: 'MoneyDeposited', data: { amount: 50 } } as const;

test('an account is opened once', async () => {
  await given(account, [])
    .when(open('1', { owner: 'Ada' }))
    .thenEvents([opened]);
  await given(account, [opened])
    .when(open('1', { owner: 'Eve' }))
    .thenRejected('already_open');
});

test('what is there can be withdrawn, and no more', async () => {
  const history = [opened, deposited];
  await given(account, history)
    .when(withdraw('1', { amount: 20 }))
    .thenEvents([{ type: 'MoneyWithdrawn', data: { amount: 20 } }]);
  await given(account, history)
    .when(withdraw('1', { amount: 90 }))
    .thenRejected('insufficient_funds', { balance: 50 });
});
