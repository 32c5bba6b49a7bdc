import { action, defineCommand, withMembers } from '../define.ts';
import { usageError } from '../failure.ts';
import { check } from './schema-check.ts';
import { diff } from './schema-diff.ts';
import { exportSchemas } from './schema-export.ts';
import { list } from './schema-list.ts';
import { show } from './schema-show.ts';

const parent = action<[], object>(
  defineCommand({
    usage: 'schema',
    summary: 'look at the schemas of events, check and export them',
    does: 'Look at the schemas of events, those of the config and those that the store has registered; check the one against the other, and what is stored against both: the commands below.',
    examples: [
      ['schema list', 'every type and version, and how it stands'],
      ['schema check', 'for CI: whether this code goes with this store'],
      ['schema diff OrderPlaced', 'what is new in its last version'],
      ['schema check --log', 'whether every event that is stored can be read'],
    ],
  }),
  async () => {
    throw usageError('It was not said what to do', 'Write: eventsrc schema list, or see --help.');
  },
);

export const schema = withMembers(parent, [list, show, check, diff, exportSchemas]);
