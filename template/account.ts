/** An account: what may happen to one, and what may be asked of it. */
import { defineAggregate, reject } from 'eventsrc';
import { z } from 'zod';

const amount = z.number().positive();

export const account = defineAggregate({
  name: 'account',

  // What has happened: facts, never changed once recorded.
  events: {
    AccountOpened: z.object({ owner: z.string() }),
    MoneyDeposited: z.object({ amount }),
    MoneyWithdrawn: z.object({ amount }),
  },

  // The state is what the events add up to. It is not stored.
  initialState: { open: false, owner: '', balance: 0 },
  evolve: {
    AccountOpened: (state, { data }) => ({ ...state, open: true, owner: data.owner }),
    MoneyDeposited: (state, { data }) => ({ ...state, balance: state.balance + data.amount }),
    MoneyWithdrawn: (state, { data }) => ({ ...state, balance: state.balance - data.amount }),
  },

  // What may be asked for: decided upon the state, answered with events or with a reason.
  commands: {
    open: {
      input: z.object({ owner: z.string().min(1) }),
      decide: (state, { owner }) =>
        state.open ? reject('already_open') : [{ type: 'AccountOpened', data: { owner } }],
    },
    deposit: {
      input: z.object({ amount }),
      decide: (state, data) => (state.open ? [{ type: 'MoneyDeposited', data }] : reject('not_open')),
    },
    withdraw: {
      input: z.object({ amount }),
      decide: (state, data) =>
        data.amount > state.balance
          ? reject('insufficient_funds', { balance: state.balance })
          : [{ type: 'MoneyWithdrawn', data }],
    },
  },
});
