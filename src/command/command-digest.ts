import { toCanonicalJson } from '../event/json.ts';
import { toUtf8 } from '../event/bytes.ts';
import { sha256 } from '../ground/digest.ts';
import type { Command } from './command.ts';

/**
 * SHA-256 over what is asked for, by which a repetition is told from another command under the same key: the
 * order of an input's keys, and keys that are undefined, make no difference.
 * @throws {EngineError} `data_unfaithful` if an input is not JSON.
 */
export function commandDigest(commands: readonly Command[]): Uint8Array {
  const asked = commands.map((command) => {
    const { input = null } = command;
    return 'decision' in command ? [command.decision, input] : [command.aggregate, command.id, command.command, input];
  });
  return sha256(toUtf8(`eventsrc/command/1\n${toCanonicalJson(asked, 'commands')}`));
}
