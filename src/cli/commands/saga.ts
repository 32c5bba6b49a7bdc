import { action, defineCommand, withMembers } from '../define.ts';
import { usageError } from '../failure.ts';
import { cancel, resolve, retry, skip } from './saga-act.ts';
import { show } from './saga-show.ts';
import { signal } from './saga-signal.ts';

const parent = action<[], object>(
  defineCommand({
    usage: 'saga',
    summary: 'look at one saga, and act on it',
    does: 'Look at one instance of a saga, and act on it: the commands below. What they do is recorded as its next step, with who did it; whoever works on it goes on from there. An instance is named by its saga and its id, or by its stream.',
    examples: [
      ['saga show fulfilment o-1', 'how far it has come, and how'],
      ['saga show fulfilment-o-1', 'the same, by its stream'],
      ['saga retry fulfilment o-1', 'what it is stuck at'],
      ['saga skip --help', 'what can be done, and how'],
    ],
  }),
  async () => {
    throw usageError('It was not said what to do', 'Write: eventsrc saga show <saga> <id>, or see --help.');
  },
);

export const saga = withMembers(parent, [show, retry, skip, resolve, cancel, signal]);
