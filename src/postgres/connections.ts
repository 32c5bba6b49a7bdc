import { setTimeout } from 'node:timers/promises';
import type { ClientBase, Pool, PoolClient, PoolConfig } from 'pg';
import { EngineError } from '../ground/errors.ts';
import { onAbort } from '../ground/on-abort.ts';
import type { Driver } from './driver.ts';
import { isAnswered, isPassing, toEngineError } from './failures.ts';
import type { ResolvedOptions } from './options.ts';

/** Between two tries to reach a server that does not answer, in ms. */
const firstPauseMs = 20;
const pauseMaxMs = 1_000;

/** What is done with a connection while it is ours. */
type Work<Result> = (client: ClientBase) => Promise<Result>;

/**
 * The connections of one kind of work, and its patience: what fails because the server is gone, starting, or not the
 * primary is tried again until the time is up.
 */
export class Connections {
  readonly #pool: Pool;
  readonly #max: number;
  readonly #options: ResolvedOptions;
  readonly #closing = new AbortController();

  constructor({ Pool }: Driver, options: ResolvedOptions, max: number) {
    const { connection, timeoutMs } = options;
    const bounded: PoolConfig = Number.isFinite(timeoutMs)
      ? { connectionTimeoutMillis: timeoutMs, query_timeout: timeoutMs }
      : {};
    this.#options = options;
    this.#max = max;
    this.#pool = new Pool({
      application_name: 'eventsrc',
      keepAlive: true,
      ...bounded,
      ...(connection as PoolConfig),
      max,
    });
    // A connection that breaks while nobody waits for its answer is told to nobody, which would end the process; whoever
    // uses it next is told.
    this.#pool.on('error', () => {});
    this.#pool.on('connect', (client) => client.on('error', () => {}));
  }

  /** Reads. @throws {EngineError} when the time is up, or trying again is of no use. */
  async query<Row extends unknown[]>(text: string, values: readonly unknown[] = []): Promise<readonly Row[]> {
    return this.patiently(async (client) => {
      const { rows } = await client.query<Row>({ text, values: [...values], rowMode: 'array' });
      return rows;
    });
  }

  /**
   * Does what may be done again: where the answer was lost it is.
   * @throws {EngineError} `connection_failed` and the like, whose outcome is `unknown` if it may have been done.
   */
  async patiently<Result>(work: Work<Result>): Promise<Result> {
    const deadline = performance.now() + this.#options.timeoutMs;
    let mayBeDone = false;
    for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(2 * pauseMs, pauseMaxMs)) {
      try {
        return await this.#once((client) =>
          work(client).catch((error: unknown) => {
            // Who was asked again and refuses for good has looked for what was sent before; who refuses for now has not.
            const isFinal = error instanceof EngineError || (isAnswered(error) && !isPassing(error));
            if (isFinal) mayBeDone = false;
            else if (!isAnswered(error)) mayBeDone = true;
            throw error;
          }),
        );
      } catch (error) {
        if (this.#closing.signal.aborted && !mayBeDone) throw new EngineError('store_closed', {}, { cause: error });
        if (this.#closing.signal.aborted || !isPassing(error) || performance.now() + pauseMs > deadline)
          throw toEngineError(error, this.#options.name, mayBeDone ? 'unknown' : 'not_written');
      }
      // A random part, so that not all who lost it come back at once.
      await setTimeout(pauseMs * (0.5 + Math.random() / 2), undefined, { signal: this.#closing.signal }).catch(
        () => {},
      );
    }
  }

  async #once<Result>(work: Work<Result>): Promise<Result> {
    const client = await this.#connect();
    let isSound = false;
    try {
      const result = await work(client);
      isSound = true;
      return result;
    } catch (error) {
      // A server that is read-only today may be another one tomorrow: not by this connection.
      isSound = isAnswered(error) && !isPassing(error) && (await hasRolledBack(client));
      throw error;
    } finally {
      client.release(!isSound);
    }
  }

  /** Whoever still waits for a connection when the pool is closed would wait for ever: it tells nobody. */
  async #connect(): Promise<PoolClient> {
    const { signal } = this.#closing;
    const { promise, resolve, reject } = Promise.withResolvers<PoolClient>();
    const settled = onAbort(signal, () => reject(signal.reason));
    this.#pool.connect().then((client) => (signal.aborted ? client.release() : resolve(client)), reject);
    try {
      return await promise;
    } catch (error) {
      const { totalCount, waitingCount } = this.#pool;
      if (signal.aborted) throw new EngineError('store_closed', {}, { cause: error });
      if (totalCount < this.#max || !/timeout exceeded/.test(String(error))) throw error;
      const { name: store, timeoutMs: waitedMs } = this.#options;
      throw new EngineError(
        'connections_exhausted',
        { store, max: this.#max, waiting: waitingCount + 1, waitedMs },
        { cause: error },
      );
    } finally {
      settled();
    }
  }

  /** What has begun is answered first. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#pool.end();
  }
}

/** An error in the middle of a transaction leaves it open until somebody ends it. */
async function hasRolledBack(client: ClientBase): Promise<boolean> {
  return client.query('rollback').then(
    () => true,
    () => false,
  );
}
