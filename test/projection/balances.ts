/** The projection that the tests of the read side use. */
import { defineProjection } from '../../src/index.ts';
import { account } from '../command/account.ts';

interface Balance {
  readonly owner: string;
  readonly balance: number;
  /** Positions, to show that every event was folded once and in order. */
  readonly changes: readonly number[];
}

const initial: Balance = { owner: '', balance: 0, changes: [] };

export const balances = defineProjection({
  name: 'balances',
  from: [account],
  key: (event) => event.aggregateId,
  initial,
  indexes: ['balance', ['owner', 'balance']],
  on: {
    AccountOpened: (document, { data, position }) => ({
      ...document,
      owner: data.owner,
      changes: [...document.changes, position],
    }),
    MoneyDeposited: (document, { data, position }) => ({
      ...document,
      balance: document.balance + data.amount,
      changes: [...document.changes, position],
    }),
    MoneyWithdrawn: (document, { data, position }) => ({
      ...document,
      balance: document.balance - data.amount,
      changes: [...document.changes, position],
    }),
    $deleted: () => null,
  },
});
