/** An append that stays open, on its connection, until it is known what is committed with it. */
import type { ClientBase, QueryResult } from 'pg';
import { EngineError } from '../ground/errors.ts';
import type { AppendResult } from '../store/port.ts';
import type { Answer, AppendCall } from './append-call.ts';
import { isAnswered, isPassing } from './failures.ts';
import type { StateChange } from './state-change.ts';

/** How it ended. But for `committed`, nothing of it is left. */
export type Ended =
  | { readonly kind: 'committed'; readonly results: readonly AppendResult[]; readonly change: StateChange | undefined }
  /** The server takes something of the group for impossible. */
  | { readonly kind: 'refused'; readonly error: unknown }
  /** What was to be committed with it could not be. */
  | { readonly kind: 'given_up'; readonly error: unknown };

/** Of the statements of `stagingSql`. */
type Staged = [
  unknown,
  unknown,
  QueryResult<{ readonly answer: Answer }>,
  QueryResult<{ readonly is_staged: boolean; readonly durability: string }>,
];

/**
 * Stages the group, asks for the change that belongs to it, and commits both. May be done again where the connection is lost:
 * if it was committed before, it is answered the same, and nothing is asked for.
 */
export async function appendStaged(
  client: ClientBase,
  call: AppendCall,
  changeFor: (results: readonly AppendResult[]) => Promise<StateChange | undefined>,
): Promise<Ended> {
  const staged = await stage(client, call);
  if ('refused' in staged) return { kind: 'refused', error: staged.refused };
  const results = call.results((staged[2].rows[0] as { answer: Answer }).answer);
  const { is_staged, durability } = staged[3].rows[0] as { is_staged: boolean; durability: string };
  const hasEvents = results.some((result) => result.kind === 'appended' && result.position > 0);
  let change: StateChange | undefined;
  try {
    if (is_staged && hasEvents) change = await changeFor(results);
  } catch (error) {
    // Where the connection is gone, so is what was staged.
    await client.query('rollback').catch(() => {});
    return { kind: 'given_up', error };
  }
  if (change === undefined) await client.query('commit');
  else {
    const error = await makeDurably(client, change, durability);
    if (error !== undefined) return { kind: 'given_up', error };
  }
  return { kind: 'committed', results, change };
}

/** Whether the server takes something of the group for impossible. */
export async function wouldRefuse(client: ClientBase, call: AppendCall): Promise<boolean> {
  const staged = await stage(client, call);
  await client.query('rollback');
  return 'refused' in staged;
}

async function stage(client: ClientBase, call: AppendCall): Promise<Staged | { readonly refused: unknown }> {
  try {
    return (await client.query(call.stagingSql)) as unknown as Staged;
  } catch (error) {
    if (!isAnswered(error) || isPassing(error)) throw error;
    await client.query('rollback');
    return { refused: error };
  }
}

/** Commits it with what is staged. @returns why not; then everything was rolled back. */
async function makeDurably(client: ClientBase, change: StateChange, durability: string): Promise<unknown> {
  try {
    // A change alone can be made again, so it lets nobody wait for the disk; but there are events with it.
    const result = await change.make(client, [], [`set local synchronous_commit = '${durability}'`, 'commit']);
    return result === 'committed' ? undefined : new EngineError('inline_conflict', { result });
  } catch (error) {
    if (error instanceof EngineError) return error;
    throw error;
  }
}
