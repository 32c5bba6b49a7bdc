import type { Client, ClientConfig } from 'pg';
import type { Position } from '../store/port.ts';
import { Waiters } from '../store/waiters.ts';
import type { Connections } from './connections.ts';
import type { Driver } from './driver.ts';
import { toEngineError } from './failures.ts';
import type { ResolvedOptions } from './options.ts';
import type { Reader } from './reader.ts';

/** How often the store is looked at while somebody waits: seldom where notifications arrive. */
const lookMs = { unheard: 25, heard: 1_000 };
/** Appends that come sooner after each other are told together: each notification is a transaction. */
const notifyMs = 20;
const reconnectMs = { first: 50, most: 5_000 };

/**
 * Notices that the store has grown. This process's own appends are told at once; others' by LISTEN on a connection
 * of its own, where that works: it is tried out by a notification of our own, since poolers may not pass any on. Where it
 * does not, and to be sure, the store is looked at; but only while somebody waits.
 */
export class WakeUp {
  readonly #driver: Driver;
  readonly #options: ResolvedOptions;
  readonly #connections: Connections;
  readonly #reader: Reader;
  readonly #channel: string;
  readonly #waiters = new Waiters();
  #listener: Client | undefined;
  #isHeard = false;
  /** The store's position, when it was last looked at. */
  #seen = 0;
  #isConnecting = false;
  #reconnectMs = reconnectMs.first;
  #lookTimer: NodeJS.Timeout | undefined;
  #notifyTimer: NodeJS.Timeout | undefined;
  #isNotificationDue = false;
  #isClosed = false;

  constructor(driver: Driver, options: ResolvedOptions, connections: Connections, reader: Reader) {
    this.#driver = driver;
    this.#options = options;
    this.#connections = connections;
    this.#reader = reader;
    this.#channel = `eventsrc_${options.schema}`;
  }

  async past(after: Position, signal: AbortSignal | undefined): Promise<Position> {
    signal?.throwIfAborted();
    const reached = this.#waiters.wait(after, signal);
    // Whoever waits is in the list before the look: what is appended after it is noticed.
    void this.#look();
    void this.#listen();
    return reached.finally(() => this.#restIfAlone());
  }

  /** This process has appended. */
  appended(position: Position): void {
    this.#waiters.reached(position);
    this.#isNotificationDue = true;
    this.#notifyTimer ??= setTimeout(() => void this.#notify(), 0);
  }

  async #notify(): Promise<void> {
    this.#isNotificationDue = false;
    // Nobody waits for this; who listens looks from time to time by himself.
    await this.#connections.patiently((client) => client.query(this.#notification)).catch(() => {});
    if (this.#isClosed) return;
    this.#notifyTimer = setTimeout(() => {
      this.#notifyTimer = undefined;
      if (this.#isNotificationDue) void this.#notify();
    }, notifyMs).unref();
  }

  /** What it tells is durable already: this transaction needs not be. */
  get #notification(): string {
    return `begin; set local synchronous_commit = off; notify "${this.#channel}"; commit`;
  }

  async #look(wasTold = true): Promise<void> {
    clearTimeout(this.#lookTimer);
    if (this.#isClosed || this.#waiters.isEmpty) return;
    try {
      const { position } = await this.#reader.head();
      // Nobody told of what is there: a pooler may pass on some notifications and not others.
      if (!wasTold && position > this.#seen) this.#isHeard = false;
      this.#seen = position;
      this.#waiters.reached(position);
    } catch (error) {
      this.#waiters.fail(toEngineError(error, this.#options.name));
    }
    clearTimeout(this.#lookTimer);
    if (this.#isClosed || this.#waiters.isEmpty) return;
    this.#lookTimer = setTimeout(() => void this.#look(false), this.#isHeard ? lookMs.heard : lookMs.unheard);
  }

  async #listen(): Promise<void> {
    if (this.#listener !== undefined || this.#isConnecting || this.#isClosed) return;
    this.#isConnecting = true;
    const listener = new this.#driver.Client({
      application_name: 'eventsrc listener',
      keepAlive: true,
      ...(this.#options.connection as ClientConfig),
    });
    listener.on('error', () => this.#lose(listener));
    listener.on('end', () => this.#lose(listener));
    listener.on('notification', () => {
      this.#isHeard = true;
      this.#reconnectMs = reconnectMs.first;
      void this.#look();
    });
    try {
      await listener.connect();
      this.#listener = listener;
      await listener.query(`listen "${this.#channel}"`);
      await this.#connections.patiently((client) => client.query(this.#notification));
    } catch {
      this.#lose(listener);
    }
    this.#isConnecting = false;
    if (this.#isClosed) await this.#hangUp();
  }

  #lose(listener: Client): void {
    this.#isHeard = false;
    if (this.#listener === listener) this.#listener = undefined;
    void listener.end().catch(() => {});
    if (this.#isClosed || this.#waiters.isEmpty) return;
    this.#reconnectMs = Math.min(2 * this.#reconnectMs, reconnectMs.most);
    setTimeout(() => this.#waiters.isEmpty || void this.#listen(), this.#reconnectMs).unref();
    void this.#look();
  }

  #restIfAlone(): void {
    if (this.#waiters.isEmpty) clearTimeout(this.#lookTimer);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#waiters.close();
    clearTimeout(this.#lookTimer);
    clearTimeout(this.#notifyTimer);
    await this.#hangUp();
  }

  async #hangUp(): Promise<void> {
    const listener = this.#listener;
    this.#listener = undefined;
    await listener?.end().catch(() => {});
  }
}
