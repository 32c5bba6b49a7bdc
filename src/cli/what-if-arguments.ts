/** Events that are to be left out or added, as they are typed. */
import type { EventMetadata } from '../event/event.ts';
import type { EventPick } from '../replay/past.ts';
import type { Moment } from '../store/moment.ts';
import { parseExactly } from './exact-json.ts';
import { usageError } from './failure.ts';
import { moment } from './moment-argument.ts';
import { isPlainObject } from './value-text.ts';

/** @throws {CliError} */
export function eventPick(text: string, hasVersions: boolean): EventPick {
  const [, sign, number] = /^([v@])(\d{1,15})$/.exec(text) ?? [];
  if (sign === 'v' && !hasVersions)
    throw usageError(`--without ${text}: only one stream has versions`, 'Name its position, such as @12, or its id.');
  if (number !== undefined) return sign === 'v' ? { version: Number(number) } : { position: Number(number) };
  if (/^[0-9a-f]{64}$/.test(text)) return { id: text };
  throw usageError(
    `--without ${text} names no event`,
    'Write its version such as v3, its position such as @12, or its id, 64 hexadecimal digits.',
  );
}

/** As the engine takes it: it checks the rest. */
export interface Added {
  readonly type: string;
  readonly data?: unknown;
  readonly stream?: string;
  readonly metadata?: EventMetadata;
  readonly tags?: readonly string[];
  readonly after?: Moment;
}

/** @throws {CliError} */
export function addedEvent(text: string, isOfOneStream: boolean): Added {
  const event = parsed(text);
  const { after, ...rest } = event;
  if (typeof event['type'] !== 'string') throw usageError(`--add ${text} has no type`, addRemedy);
  if (isOfOneStream && 'stream' in event)
    throw usageError('An event that is added to an instance goes to its stream', 'Leave out "stream".');
  if (!isOfOneStream && typeof event['stream'] !== 'string')
    throw usageError(`--add ${text} has no stream`, 'Say to which one it is added: "stream": "account-1"');
  if (after === undefined) return rest as unknown as Added;
  return { ...(rest as unknown as Added), after: momentAfter(after, isOfOneStream) };
}

const addRemedy = `Write: '{"type": "MoneyDeposited", "data": {"amount": 5}, "after": "v2"}'`;

function parsed(text: string): Readonly<Record<string, unknown>> {
  try {
    const event = parseExactly(text);
    if (isPlainObject(event)) return event;
  } catch (error) {
    throw usageError(`--add is no JSON: ${(error as Error).message}`, addRemedy);
  }
  throw usageError(`--add ${text} is no JSON object`, addRemedy);
}

function momentAfter(after: unknown, hasVersions: boolean): Moment {
  try {
    const at = moment(String(after));
    if (!('version' in at) || hasVersions) return at;
  } catch {
    // As below.
  }
  throw usageError(
    `"after": ${JSON.stringify(after)} is no moment${hasVersions ? '' : ' of a view'}`,
    `Write ${hasVersions ? 'a version such as "v2", ' : ''}a position such as "@12", or a time.`,
  );
}
