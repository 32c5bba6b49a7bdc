/** What the owner of a repository has set, as far as it concerns the history: the example's only aggregate with commands. */
import { defineAggregate, openEngine } from 'eventsrc';
import { z } from 'zod';
import type { HistoryLog } from './events.ts';

export const settings = defineAggregate({
  name: 'settings',
  events: {
    /** Whether bytes above 0x7f in paths are printed escaped (git's core.quotePath). */
    PathQuotingSet: z.strictObject({ quotePath: z.boolean() }),
  },
  // As git does by default.
  initialState: { quotePath: true },
  evolve: { PathQuotingSet: (_state, { data }) => data },
  commands: {
    setPathQuoting: {
      input: z.object({ quotePath: z.boolean() }),
      decide: (state, { quotePath }) =>
        quotePath === state.quotePath ? [] : [{ type: 'PathQuotingSet', data: { quotePath } }],
    },
  },
});

const settingsId = 'git';

/** Whether paths are to be printed escaped, as the store last heard. */
export async function pathQuoting(log: HistoryLog): Promise<{ readonly quotePath: boolean }> {
  await using engine = await openEngine({ store: log, aggregates: [settings] });
  return (await engine.load(settings, settingsId)).state;
}

/** Tells the store how paths are to be printed, where that is news. Returns the events appended. */
export async function rememberQuoting(log: HistoryLog, quotePath: boolean | undefined): Promise<number> {
  if (quotePath === undefined) return 0;
  await using engine = await openEngine({ store: log, aggregates: [settings] });
  const receipt = await engine.execute(settings.commands.setPathQuoting(settingsId, { quotePath }));
  if (receipt.kind !== 'accepted') throw new Error(`The settings were not taken: ${receipt.kind}`);
  return receipt.events.length;
}
