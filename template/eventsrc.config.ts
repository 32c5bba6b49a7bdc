/** What the command line works with: npx eventsrc --help */
import { defineConfig } from 'eventsrc';
import { account } from './account.ts';
import { balances } from './balances.ts';

export default defineConfig({
  store: 'sqlite:events.db',
  aggregates: [account],
  projections: [balances],
});
