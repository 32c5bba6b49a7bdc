import { openEngine } from '../engine/engine.ts';
import type { Engine } from '../engine/engine.ts';
import type { ConsumerNotice } from '../projection/notice.ts';
import { sagaWarningOf } from '../saga/notice.ts';
import type { SagaNotice } from '../saga/notice.ts';
import { snapshotWarningOf } from '../snapshot/notice.ts';
import type { SnapshotNotice } from '../snapshot/notice.ts';
import { openLog } from '../store/log.ts';
import type { EventLog } from '../store/log.ts';
import type { Backend } from '../store/port.ts';
import { loadConfig } from './config-file.ts';
import type { LoadedConfig } from './config-file.ts';
import { consumersOf } from './definitions.ts';
import type { NamedConsumer } from './definitions.ts';
import { usageError } from './failure.ts';
import { discountingSagas } from './saga-streams.ts';
import { backendAt, parseStoreUrl } from './store-url.ts';
import type { StoreLocation } from './store-url.ts';
import type { Terminal } from './terminal.ts';

/** Options that every command takes. */
export interface CommonOptions {
  readonly store?: string;
  readonly config?: string;
  readonly json?: boolean;
  readonly debug?: boolean;
}

/** What a store is opened for: to look at it, to write into it, or to write into it and to make it if it does not exist. */
export type OpenMode = 'existing' | 'write' | 'create';

/** What a command has to do with the consumers of the config: whoever wants only to look must not work for them. */
export interface ConsumerUse {
  /** Those that the engine is opened with. Of sagas all are, if one is: they may be one another's children. */
  readonly uses: (consumer: NamedConsumer) => boolean;
  /** Those of them that are worked on. Default: none. */
  readonly runs?: (consumer: NamedConsumer) => boolean;
  /** Default: nobody is told. */
  readonly onNotice?: (notice: ConsumerNotice) => void;
}

/** What else a command has an engine for. */
export interface EngineUse {
  /** Whether states are kept as snapshots. Default false. */
  readonly keepsSnapshots?: boolean;
  /** Whether the command says itself which of them are wrong. Default false. */
  readonly tellsFaults?: boolean;
}

/** For commands that have nothing to do with views. */
export const noConsumers: ConsumerUse = { uses: () => false };

/** For commands that append: what is folded in the append's own transaction is part of it. */
export const inlineConsumers: ConsumerUse = { uses: isInline, runs: isInline };

function isInline({ mode }: NamedConsumer): boolean {
  return mode === 'inline';
}

/** One run of a command: its output, its store, its end. */
export class Session {
  readonly terminal: Terminal;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
  readonly #options: CommonOptions;
  #config: Promise<LoadedConfig> | undefined;

  constructor(terminal: Terminal, signal: AbortSignal, options: CommonOptions) {
    this.terminal = terminal;
    this.signal = signal;
    this.#options = options;
  }

  config(): Promise<LoadedConfig> {
    return (this.#config ??= loadConfig(this.#options.config));
  }

  /** Where the store is; a backend, where the config made one itself. @throws {CliError} */
  async location(): Promise<StoreLocation | Backend> {
    // A variable that is set to nothing is not set; an option that says nothing was meant to say something.
    const url = this.#options.store ?? (process.env['EVENTSRC_STORE'] || undefined);
    if (url !== undefined) return parseStoreUrl(url, process.cwd());
    const { store, folder } = await this.config();
    if (typeof store === 'string') return parseStoreUrl(store, folder);
    if (store !== undefined) return store;
    throw usageError(
      'No store was named',
      'Add --store sqlite:FILE or --store postgres://…, set EVENTSRC_STORE, or name it in eventsrc.config.ts (eventsrc init writes one).',
    );
  }

  /** The store's file. @throws {CliError} if it has none. */
  async file(): Promise<string> {
    const location = await this.location();
    if ('kind' in location && location.kind === 'sqlite') return location.file;
    throw usageError(`${storeName(location)} has no file`, 'Name one with --store sqlite:FILE');
  }

  async openLog(mode: OpenMode, location?: StoreLocation): Promise<EventLog> {
    const { limits, clock } = await this.config();
    const log = await openLog({
      store: backendOf(location ?? (await this.location()), mode),
      ...(limits !== undefined && { limits }),
      ...(clock !== undefined && { clock }),
      onWarning: ({ message }) => this.terminal.warn(message),
    });
    return mode === 'existing' ? log : discountingSagas(log, log);
  }

  /** The config, which must be there. @throws {CliError} */
  async definitions(): Promise<LoadedConfig> {
    const config = await this.config();
    if (config.file !== undefined) return config;
    throw usageError('There is no eventsrc.config.ts here', 'Run eventsrc init, or name one with --config FILE.');
  }

  /** @throws {CliError} if there is no config. */
  async openEngine(mode: OpenMode, use: ConsumerUse, more: EngineUse = {}): Promise<Engine> {
    await this.definitions();
    return this.openAnyEngine(mode, use, more);
  }

  /** Without a config, too: for what needs no definitions. */
  async openAnyEngine(mode: OpenMode, use: ConsumerUse, more: EngineUse = {}): Promise<Engine> {
    const loaded = await this.config();
    const { file: _file, folder: _folder, ...config } = loaded;
    const { projections = [], tables = [], reactors = [], sagas = [], schedules = false, hooks } = config;
    const used = consumersOf(loaded).filter((one) => use.uses(one));
    const names = new Set(used.map(({ name }) => name));
    const isUsed = ({ name }: { readonly name: string }) => names.has(name);
    const usesSagas = used.some(({ kind }) => kind === 'saga');
    const consumer = (notice: ConsumerNotice) => {
      use.onNotice?.(notice);
      hooks?.consumer?.(notice);
    };
    const saga = (notice: SagaNotice) => {
      const warning = sagaWarningOf(notice);
      if (warning !== undefined) this.terminal.warn(warning);
      hooks?.saga?.(notice);
    };
    const snapshot = (notice: SnapshotNotice) => {
      const isTold = more.tellsFaults === true && (notice.kind === 'skipped' || notice.kind === 'mismatch');
      const warning = isTold ? undefined : snapshotWarningOf(notice);
      if (warning !== undefined) this.terminal.warn(warning);
      hooks?.snapshot?.(notice);
    };
    const engine = await openEngine({
      onWarning: ({ message }) => this.terminal.warn(message),
      ...config,
      // Looking writes nothing.
      ...(more.keepsSnapshots !== true && { snapshots: false }),
      projections: projections.filter(isUsed),
      tables: tables.filter(isUsed),
      reactors: reactors.filter(isUsed),
      sagas: usesSagas ? sagas : [],
      schedules: usesSagas && schedules,
      run: used.filter((one) => use.runs?.(one) === true).map(({ name }) => name),
      hooks: { ...hooks, consumer, saga, snapshot },
      store: backendOf(await this.location(), mode),
    });
    // With them it does so itself.
    return mode === 'existing' || usesSagas ? engine : discountingSagas(engine, engine.log);
  }
}

function backendOf(location: StoreLocation | Backend, mode: OpenMode): Backend {
  return 'kind' in location ? backendAt(location, mode) : location;
}

/** As a person would write it. */
export function storeName(location: StoreLocation | Backend): string {
  if (!('kind' in location)) return location.name;
  if (location.kind === 'postgres') return backendAt(location, 'existing').name;
  return location.kind === 'memory' ? 'memory:' : `sqlite:${location.file}`;
}
