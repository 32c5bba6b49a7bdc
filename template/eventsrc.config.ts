/** What the command line works with: npx eventsrc --help */
import { defineConfig } from 'eventsrc';
import { account } from './account.ts';

export default defineConfig({
  store: 'sqlite:events.db',
  aggregates: [account],
});
