/** What an operator does about an instance: recorded as a step of it, which whoever works on it goes on from. */
import type { Command } from 'commander';
import type { SagaHandle } from '../../saga/handle.ts';
import { jsonArgument } from '../arguments.ts';
import { actorOf, addActor } from '../consumers.ts';
import { action, defineCommand } from '../define.ts';
import { CliError, usageError } from '../failure.ts';
import { jsonText } from '../json-text.ts';
import { handleOf, instanceTyped, sagasUnworked } from '../saga-instance.ts';
import { effectText, failureText, stuckText } from '../saga-words.ts';
import type { Session } from '../session.ts';

interface Options {
  readonly actor?: string;
}

interface StuckOptions extends Options {
  readonly key?: string;
}

type Named = [saga: string, id?: string];

/** What is done at which effect, and how it is told. */
interface Act {
  readonly kind: 'retry' | 'skip' | 'resolve';
  readonly options: StuckOptions;
  readonly does: (handle: SagaHandle, options: { readonly actor: string; readonly key?: string }) => Promise<void>;
  readonly says: (effect: string) => string;
}

export const retry = action<Named, StuckOptions>(
  addStuck(
    defineCommand({
      usage: 'retry <saga> [id]',
      summary: 'let one that is stuck try again',
      does: 'Have what an instance is stuck at tried again, under another idempotency key, once its cause is removed.',
      examples: [
        ['saga retry fulfilment o-1', 'whatever it is stuck at'],
        [`saga retry fulfilment-o-1 --key '~charge' --actor Ada`, 'only if it is stuck at undoing charge'],
      ],
    }),
  ),
  (session, options, ...typed) =>
    act(session, typed, {
      kind: 'retry',
      options,
      does: (handle, given) => handle.retry(given),
      says: (effect) => `tries ${effect} again`,
    }),
);

export const skip = action<Named, StuckOptions & { readonly reason: string }>(
  addStuck(
    defineCommand({
      usage: 'skip <saga> [id]',
      summary: 'let one that is stuck go on as if that were done',
      does: 'Have what an instance is stuck at passed over, as if it were done. Who did that, and why, is kept.',
      examples: [[`saga skip fulfilment o-1 --reason 'refunded by hand'`, 'it goes on with the next one']],
    }),
  ).requiredOption('--reason <text>', 'why, to be kept with it'),
  (session, options, ...typed) => {
    const reason = requireReason(options.reason);
    return act(session, typed, {
      kind: 'skip',
      options,
      does: (handle, given) => handle.skip(reason, given),
      says: (effect) => `passes over ${effect}: ${reason}`,
    });
  },
);

export const resolve = action<Named, StuckOptions & { readonly reason?: string; readonly result?: string }>(
  addStuck(
    defineCommand({
      usage: 'resolve <saga> [id]',
      summary: 'say what became of what one is stuck at',
      does: 'Say what became of what an instance is stuck at: it is taken as done, with this result.',
      examples: [
        [`saga resolve fulfilment o-1 --result '{"refund": "r-7"}'`, 'it was done, and this came of it'],
        [`saga resolve fulfilment o-1 --result - --reason 'by phone' < result.json`, 'from standard input'],
      ],
    }),
  )
    .option('--result <json>', 'what came of it (default: null); - reads it from standard input')
    .option('--reason <text>', 'why, to be kept with it'),
  async (session, options, ...typed) => {
    const result = await jsonArgument('--result', options.result, null, session.signal);
    const reason = options.reason === undefined ? undefined : requireReason(options.reason);
    return act(session, typed, {
      kind: 'resolve',
      options,
      does: (handle, given) => handle.resolve(result, { ...given, ...(reason !== undefined && { reason }) }),
      says: (effect) => `takes ${effect} as done: ${jsonText(result)}`,
    });
  },
);

export const cancel = action<Named, Options & { readonly reason: string }>(
  addActor(
    defineCommand({
      usage: 'cancel <saga> [id]',
      summary: 'have one undo what it did',
      does: 'Have an instance compensated: what it did is undone, and it ends. One that is being compensated already is left as it is.',
      examples: [[`saga cancel fulfilment o-1 --reason 'the customer called'`, 'who did it, and why, is kept']],
    }).usage('[options] <saga> <id>'),
  ).requiredOption('--reason <text>', 'why, to be kept with it'),
  async (session, options, ...typed) => {
    const reason = requireReason(options.reason);
    const named = await instanceTyped(session, 'cancel', typed);
    await using engine = await session.openEngine('write', sagasUnworked);
    const handle = handleOf(engine, named);
    const before = await handle.state();
    const name = `${named.saga} ${named.id}`;
    if (before.status === 'completed')
      throw new CliError(`${name} is completed: it has ended`, 'Undo by commands of your own what it did.');
    const { status, failure, stuck } = await handle.cancel(reason, { actor: actorOf(options.actor) });
    const facts = { saga: named.saga, id: named.id, act: 'cancel', status };
    if (before.failure === undefined)
      await session.terminal.printDone(`${name} is compensated from now on: ${reason}`, facts);
    else if (stuck !== undefined)
      throw new CliError(
        `${name} is being compensated already, and is ${stuckText(stuck)}`,
        'Have it go on: eventsrc saga retry, skip or resolve.',
      );
    else {
      const how = status === 'compensated' ? 'has been compensated' : 'is being compensated already';
      await session.terminal.printDone(`${name} ${how}: ${failureText(failure ?? before.failure)}`, facts);
    }
  },
);

function addStuck(command: Command): Command {
  return addActor(command.usage('[options] <saga> <id>')).option(
    '--key <key>',
    'only if it is stuck at this effect (what undoes charge is ~charge)',
  );
}

/** @throws {CliError} */
function requireReason(reason: string): string {
  if (reason.trim() === '') throw usageError('--reason says nothing', `Write why: --reason 'refunded by hand'`);
  return reason;
}

async function act(session: Session, typed: Named, { kind, options, does, says }: Act): Promise<void> {
  const named = await instanceTyped(session, kind, typed);
  await using engine = await session.openEngine('write', sagasUnworked);
  const handle = handleOf(engine, named);
  const { stuck } = await handle.state();
  // What was looked at is what is acted upon: by now it may be stuck elsewhere.
  const key = options.key ?? stuck?.key;
  await does(handle, { actor: actorOf(options.actor), ...(key !== undefined && { key }) });
  const { saga, id } = named;
  const { status } = await handle.state();
  const effect = key === undefined ? 'what it was stuck at' : effectText(key);
  await session.terminal.printDone(`${saga} ${id} ${says(effect)}`, {
    saga,
    id,
    act: kind,
    ...(key !== undefined && { key }),
    status,
  });
}
