import { jsonArgument } from '../arguments.ts';
import { actorOf, addActor } from '../consumers.ts';
import { action, defineCommand } from '../define.ts';
import { usageError } from '../failure.ts';
import { handleOf, instanceTyped, sagasUnworked } from '../saga-instance.ts';

interface Options {
  readonly actor?: string;
  readonly key?: string;
}

export const signal = action<[saga: string, id?: string, type?: string, data?: string], Options>(
  addActor(
    defineCommand({
      usage: 'signal <saga> [id] [type] [data]',
      summary: 'send one a signal',
      does: 'Send an instance a signal: an event for it alone, of one of the types that its saga takes, whose schema its data must match.',
      examples: [
        [`saga signal fulfilment o-1 Packed '{"parcel": "p-7"}'`, 'data is JSON'],
        [`saga signal fulfilment-o-1 Packed - --key scan-12 < parcel.json`, 'once, however often it is sent'],
      ],
    }).usage('[options] <saga> <id> <type> [data]'),
  ).option('--key <key>', 'of two signals with one key the second is none'),
  async (session, options, ...typed) => {
    const named = await instanceTyped(session, 'signal', typed);
    const { saga, id, rest } = named;
    const [type, text] = rest;
    if (type === undefined)
      throw usageError('No type was named', `Write: eventsrc saga signal ${saga} ${id} <type> [data]`);
    const data = await jsonArgument('data', text, null, session.signal);
    await using engine = await session.openEngine('write', sagasUnworked);
    const handle = handleOf(engine, named);
    const { actor, key } = options;
    const { duplicate } = await handle.signal(type, data, { actor: actorOf(actor), key });
    const sentence = duplicate
      ? `${saga} ${id} has a signal with the key ${key} already: nothing was sent`
      : `Sent ${type} to ${saga} ${id}`;
    await session.terminal.printDone(sentence, { saga, id, act: 'signal', type, duplicate });
  },
);
