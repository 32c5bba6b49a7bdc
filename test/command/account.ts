/** The aggregate that the tests of the write side use. */
import { z } from 'zod';
import { defineAggregate, reject } from '../../src/index.ts';

export const account = defineAggregate({
  name: 'account',
  events: {
    AccountOpened: z.object({ owner: z.string() }),
    MoneyDeposited: z.object({ amount: z.number().positive() }),
    MoneyWithdrawn: z.object({ amount: z.number().positive() }),
  },
  initialState: { open: false, balance: 0 },
  evolve: {
    AccountOpened: (state) => ({ ...state, open: true }),
    MoneyDeposited: (state, { data }) => ({ ...state, balance: state.balance + data.amount }),
    MoneyWithdrawn: (state, { data }) => ({ ...state, balance: state.balance - data.amount }),
  },
  commands: {
    open: {
      input: z.object({ owner: z.string() }),
      decide: (state, { owner }) =>
        state.open ? reject('already_open') : [{ type: 'AccountOpened', data: { owner } }],
    },
    deposit: {
      input: z.object({ amount: z.number().positive() }),
      decide: (_state, { amount }) => [{ type: 'MoneyDeposited', data: { amount } }],
    },
    withdraw: {
      input: z.object({ amount: z.number().positive() }),
      decide: (state, { amount }) =>
        amount > state.balance
          ? reject('insufficient_funds', { balance: state.balance })
          : [{ type: 'MoneyWithdrawn', data: { amount } }],
    },
    touch: { input: z.object({}), decide: () => [] },
    close: { input: z.object({}), decide: () => [{ type: '$deleted' }] },
  },
});
