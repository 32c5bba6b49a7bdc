import { toFaithfulJson, depthMax } from '../event/json.ts';
import { toUtf8 } from '../event/bytes.ts';
import { sha256 } from '../ground/digest.ts';
import type { Command } from './command.ts';

/**
 * SHA-256 over what is asked for, by which a repetition is told from another command under the same key: the
 * order of an input's keys, and keys that are undefined, make no difference.
 * @throws {EngineError} `data_unfaithful` if an input is not JSON.
 */
export function commandDigest(commands: readonly Command[]): Uint8Array {
  const asked = commands.map((command) =>
    'decision' in command
      ? [command.decision, ordered(command.input, 0)]
      : [command.aggregate, command.id, command.command, ordered(command.input, 0)],
  );
  return sha256(toUtf8(`eventsrc/command/1\n${toFaithfulJson(asked, 'commands')}`));
}

/** A copy with sorted keys; whatever is no plain JSON is left for the encoder to refuse. */
function ordered(value: unknown, depth: number): unknown {
  if (value === undefined && depth === 0) return null;
  if (typeof value !== 'object' || value === null || depth > depthMax) return value;
  if (Array.isArray(value)) return value.map((item) => ordered(item, depth + 1));
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return value;
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  entries.sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, item]) => [key, ordered(item, depth + 1)]));
}
