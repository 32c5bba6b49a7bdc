/** A view of all accounts, which can be asked for those with most money on them. */
import { defineProjection } from 'eventsrc';
import { account } from './account.ts';

export const balances = defineProjection({
  name: 'balances',
  from: [account],

  // Which document an event concerns.
  key: (event) => event.aggregateId,

  // What a document is before its first event, and by what documents are found.
  initial: { owner: '', balance: 0 },
  indexes: ['balance', 'owner'],

  // Folded into the document as soon as an event has happened; raise `version` to have other documents made of the same events.
  on: {
    AccountOpened: (document, { data }) => ({ ...document, owner: data.owner }),
    MoneyDeposited: (document, { data }) => ({ ...document, balance: document.balance + data.amount }),
    MoneyWithdrawn: (document, { data }) => ({ ...document, balance: document.balance - data.amount }),
  },
});
