import { Writable } from 'node:stream';
import type { SagaInfo } from '../saga/sagas.ts';
import type { Named } from './completion.ts';
import { printable } from './printable.ts';
import { sagasUnworked } from './saga-instance.ts';
import { stuckText } from './saga-words.ts';
import { Session, storeName } from './session.ts';
import { Terminal } from './terminal.ts';

/** Commands below `saga`, and the instances for which they are. */
const asked: Readonly<Record<string, SagaInfo['status'] | 'any'>> = {
  show: 'any',
  retry: 'stuck',
  skip: 'stuck',
  resolve: 'stuck',
  cancel: 'any',
  signal: 'any',
};

const shownMax = 50;

/**
 * The oldest instances that can be named where a shell asks. Only of a file: a server may be far away, and somebody waits at the keyboard.
 * @param words that were typed behind `eventsrc`, the last of them not to its end.
 */
export async function completedInstances(words: readonly string[], signal: AbortSignal): Promise<readonly Named[]> {
  const [command, member = '', saga = '', ...rest] = words;
  const status = command === 'saga' && rest.length === 1 ? asked[member] : undefined;
  if (status === undefined) return [];
  const silent = new Terminal(process.stdout, new Writable({ write: (_chunk, _encoding, done) => done() }), true);
  const session = new Session(silent, signal, {});
  try {
    if (!storeName(await session.location()).startsWith('sqlite:')) return [];
    await using engine = await session.openEngine('existing', sagasUnworked);
    const found = await engine.sagas.list({ saga, limit: shownMax, ...(status !== 'any' && { status }) });
    return found.map(({ id, status: stands, stuck }) => ({
      name: id,
      kind: stuck === undefined ? stands : printable(stuckText(stuck)),
    }));
  } catch {
    // Nobody could be told why.
    return [];
  }
}
