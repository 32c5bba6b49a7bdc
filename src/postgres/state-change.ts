import type { ClientBase, QueryConfig } from 'pg';
import { EngineError, describe } from '../ground/errors.ts';
import type { CheckpointMove, SqlStatement, StateCommit, StateCommitResult } from '../store/state-port.ts';
import { isPassing, serverCode } from './failures.ts';
import { callOf } from './packing.ts';

/** What `commit_state` raises. */
const outcomes: ReadonlyMap<string | undefined, StateCommitResult> = new Map([
  ['ES001', 'fenced'],
  ['ES002', 'checkpoint_moved'],
  ['ES003', 'revision_moved'],
]);
const collectionUnknown = 'ES004';

/** A call of the function `commit_state`, and the statements that go with it. */
export class StateChange {
  readonly checkpoints: readonly CheckpointMove[];
  readonly #call: string;
  readonly #statements: readonly SqlStatement[];

  constructor(schema: string, packed: Buffer, { checkpoints = [], statements = [] }: StateCommit) {
    this.checkpoints = checkpoints;
    this.#call = callOf(schema, 'commit_state', { change: { bytes: packed.toString('hex') } });
    this.#statements = statements;
  }

  /**
   * Makes it between what opens its transaction (nothing, where one is open) and what commits it, in one message if it can.
   * But for `committed` the transaction is rolled back.
   */
  async make(client: ClientBase, opening: readonly string[], closing: readonly string[]): Promise<StateCommitResult> {
    const first = [...opening, this.#call];
    try {
      if (this.#statements.length === 0) await client.query([...first, ...closing].join('; '));
      else {
        await client.query(first.join('; '));
        for (const statement of this.#statements) await run(client, statement);
        await client.query(closing.join('; '));
      }
      return 'committed';
    } catch (error) {
      const code = serverCode(error);
      const outcome = outcomes.get(code);
      if (outcome === undefined && code !== collectionUnknown) throw error;
      await client.query('rollback');
      if (outcome !== undefined) return outcome;
      throw new EngineError('collection_unknown', { collection: describe(error) });
    }
  }
}

async function run(client: ClientBase, { sql, params }: SqlStatement): Promise<void> {
  try {
    // One statement only, also where it has no parameters.
    await client.query({ text: sql, values: [...params], queryMode: 'extended' } as QueryConfig);
  } catch (error) {
    if (isPassing(error) || serverCode(error) === undefined) throw error;
    await client.query('rollback');
    throw new EngineError('statement_failed', { statement: sql, reason: describe(error) }, { cause: error });
  }
}
