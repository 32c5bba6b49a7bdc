import type { AnyAggregate } from '../../command/aggregate.ts';
import type { Command, NotAccepted } from '../../command/command.ts';
import type { AnyDecision } from '../../command/decision.ts';
import type { EventMetadata } from '../../event/event.ts';
import type { ExpectedVersion } from '../../store/port.ts';
import { count, expectedVersion, jsonArgument, jsonObject } from '../arguments.ts';
import { action, defineCommand } from '../define.ts';
import { eventTable } from '../event-table.ts';
import { exitCodes, usageError } from '../failure.ts';
import { inlineConsumers } from '../session.ts';
import type { Session } from '../session.ts';

interface Options {
  readonly key?: string;
  readonly expected?: ExpectedVersion;
  readonly actor?: string;
  readonly metadata?: EventMetadata;
  readonly timeout?: number;
}

const definition = defineCommand({
  usage: 'execute <command> [id] [input]',
  summary: 'execute a command of the config',
  does: 'Execute a command of an aggregate, or a decision, of the config. Exits with 1 if it is not accepted.',
  examples: [
    [`execute account.withdraw 1 '{"amount": 20}' --key atm-77`, 'of an aggregate: its instance, its input'],
    [`execute book_seat '{"seat": 12}'`, 'a decision has no instance'],
    ['execute account.open 1 - < input.json', 'input from standard input'],
  ],
})
  .option('--key <key>', 'idempotency key: a repetition is answered from the receipt of the first')
  .option('--expected <version>', 'the version that the stream must be at', expectedVersion)
  .option('--actor <name>', 'who does it, for the metadata of its events')
  .option('--metadata <json>', 'an object, for the metadata of its events', jsonObject)
  .option('--timeout <ms>', 'how long it may take', count);

export const execute = action<[command: string, id?: string, input?: string], Options>(
  definition,
  async (session, options, name, first, second) => {
    const command = await toCommand(session, name, first, second);
    await using engine = await session.openEngine('create', inlineConsumers, { keepsSnapshots: true });
    const { key, expected, actor, metadata, timeout } = options;
    const receipt = await engine.execute(command, {
      signal: session.signal,
      metadata: { ...metadata, ...(actor !== undefined && { actor }) },
      idempotencyKey: key,
      expectedVersion: expected === 'any' ? undefined : expected,
      timeoutMs: timeout,
    });
    const { terminal } = session;
    if (receipt.kind !== 'accepted') return refuse(session, receipt);
    const { kind, version, position, duplicate, events } = receipt;
    if (terminal.isJson) {
      await terminal.printJson({ kind, version, position, duplicate, events });
      return exitCodes.done;
    }
    const again = duplicate ? ', by an earlier command with this key' : '';
    await terminal.printDone(`accepted${again}: version ${version}, position ${position}`, {});
    await eventTable(terminal).print(events);
    return exitCodes.done;
  },
);

/** By the name that errors of the engine call it, too: `account.withdraw`. */
async function toCommand(
  session: Session,
  name: string,
  first: string | undefined,
  second: string | undefined,
): Promise<Command> {
  const { aggregates = [], decisions = [] } = await session.config();
  const inputOf = (given: string | undefined) => jsonArgument('input', given, {}, session.signal);
  const dot = name.indexOf('.');
  if (dot === -1) {
    if (!decisions.some((decision) => decision.name === name)) throw unknown(name, aggregates, decisions);
    return { decision: name, input: await inputOf(first) };
  }
  const [owner, command] = [name.slice(0, dot), name.slice(dot + 1)];
  if (aggregates.find((aggregate) => aggregate.name === owner)?.handlers.has(command) !== true)
    throw unknown(name, aggregates, decisions);
  if (first === undefined)
    throw usageError(`${name} needs an instance`, `Write: eventsrc execute ${name} <id> [input]`);
  return { aggregate: owner, id: first, command, input: await inputOf(second) };
}

function unknown(name: string, aggregates: readonly AnyAggregate[], decisions: readonly AnyDecision[]): Error {
  const commands = aggregates.flatMap(({ name: owner, handlers }) =>
    [...handlers.keys()].map((key) => `${owner}.${key}`),
  );
  const known = [...commands, ...decisions.map((decision) => decision.name)].join(', ') || 'none';
  return usageError(`The config has no command ${name}; known: ${known}`, 'Name one of these, or another --config.');
}

async function refuse({ terminal }: Session, receipt: NotAccepted): Promise<number> {
  const [summary, remedy] = explained(receipt);
  if (terminal.isJson) await terminal.printJson(receipt);
  else terminal.fail({ code: receipt.kind, summary, remedy, exitCode: exitCodes.failed });
  return exitCodes.failed;
}

function explained(receipt: NotAccepted): readonly [summary: string, remedy: string] {
  switch (receipt.kind) {
    case 'rejected': {
      const details = receipt.details === undefined ? '' : ` ${JSON.stringify(receipt.details)}`;
      return [`rejected: ${receipt.code}${details}`, 'The domain refused it: nothing was written.'];
    }
    case 'invalid': {
      const issues = receipt.issues.map(({ message, path = [] }) => {
        const steps = path.map((step) => String(typeof step === 'object' ? step.key : step));
        return steps.length === 0 ? message : `${steps.join('.')}: ${message}`;
      });
      return [`invalid input: ${issues.join('; ')}`, 'Correct the input: nothing was written.'];
    }
    case 'conflict': {
      const where = receipt.stream === undefined ? 'position' : `${receipt.stream} is at version`;
      return [`conflict: ${where} ${receipt.actual}`, 'Others were faster: look at what they did, and repeat.'];
    }
    default:
      return receipt satisfies never;
  }
}
