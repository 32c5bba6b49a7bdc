import { copyLog } from '../../store/copy.ts';
import { action, defineCommand } from '../define.ts';
import { numberText } from '../moment-text.ts';
import { withProgress } from '../progress.ts';
import { storeName } from '../session.ts';
import { parseStoreUrl } from '../store-url.ts';
import { otherStore } from '../transfer/other-store.ts';

interface Options {
  readonly from: string;
  readonly to: string;
}

const definition = defineCommand({
  usage: 'copy',
  summary: 'copy a store into an empty one',
  does: 'Copy a whole store into an empty one: positions, ids and receipts are kept, and the two are compared.',
  examples: [
    ['copy --from sqlite:bank.db --to sqlite:/mnt/bank.db', 'repeat it after an interruption: it goes on where it was'],
    ['copy --from sqlite:bank.db --to postgres://app@db/bank', 'from a file to a server; and back the same way'],
  ],
  isStoreless: true,
})
  .requiredOption('--from <url>', 'the store to copy; it may be in use')
  .requiredOption('--to <url>', 'an empty store, or an unfinished copy')
  .option('--config <file>', 'instead of eventsrc.config.ts in the current folder');

export const copy = action<[], Options>(definition, async (session, options) => {
  const from = parseStoreUrl(options.from, process.cwd());
  const to = otherStore(options.to, from, '--from');
  await using source = await session.openLog('existing', from);
  await using target = await session.openLog('create', to);
  const { terminal, signal } = session;
  const { events, skipped, receipts } = await withProgress(terminal, (progress) =>
    copyLog(source, target, {
      signal,
      onProgress: ({ phase, done, total }) => progress({ title: phase, what: 'events', done, total }),
    }),
  );
  const earlier = skipped === 0 ? '' : ` (${numberText(skipped)} were there already)`;
  const sentence = `Copied and compared: ${numberText(events)} events${earlier}, ${numberText(receipts)} receipts, into ${storeName(to)}`;
  await terminal.printDone(sentence, { events, skipped, receipts });
});
