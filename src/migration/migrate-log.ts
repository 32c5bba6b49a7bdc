import type { EventDeclarations } from '../event/casts.ts';
import { areEqual, toHex } from '../event/bytes.ts';
import type { EventSchemas } from '../event/codec.ts';
import { sagaStepType } from '../event/event.ts';
import type { Recorded } from '../event/event.ts';
import type { RecordedDraft } from '../event/recorded-draft.ts';
import { checkKeys, checkSignal, optionInvalid } from '../ground/check-options.ts';
import { copyReceipts, copyRefused, each, requireKnownReceipts } from '../store/copy.ts';
import type { EventLog } from '../store/log.ts';
import type { Position } from '../store/port.ts';
import { Migrator } from './migration.ts';
import type { Migration, MigrationRules, StoredEvent } from './migration.ts';
import { movedReceipt } from './moved-receipt.ts';
import { Renumbering } from './renumbering.ts';

/** Where an event is, and what it is called. */
export interface EventReference {
  readonly position: Position;
  readonly stream: string;
  readonly version: number;
  /** 64 hexadecimal digits. */
  readonly id: string;
}

/** What became of an event that is not in the new store under its old id. */
export interface MigrationRecord {
  readonly old: EventReference;
  /** None, if it was left out. */
  readonly new: readonly EventReference[];
}

export interface MigrationProgress {
  readonly phase: 'migrating' | 'verifying';
  /** Events of the source, of `total`. */
  readonly done: number;
  readonly total: number;
}

export interface MigrationOptions {
  /** What changed events of their streams are checked against: aggregates, or anything with `name`, `events` and `retired`. Default: nothing. */
  readonly aggregates?: readonly EventDeclarations[];
  /** The same for all other streams. Default: any type, any JSON. */
  readonly events?: EventSchemas;
  /** Whether the function is asked about the steps of sagas, too. Default false: they are kept. */
  readonly sagaSteps?: boolean;
  /**
   * Told of every event that is not in the new store under its old id, in order, each once in a run, when the new store holds all of
   * them. It is waited for.
   */
  readonly record?: (entries: readonly MigrationRecord[]) => void | Promise<void>;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: MigrationProgress) => void) | undefined;
}

export interface MigrationResult {
  /** Of the source. */
  readonly events: number;
  /** Of them, those that have kept their ids; the others are in the record. */
  readonly kept: number;
  /** Of them, those that were left out. */
  readonly leftOut: number;
  /** Of them, steps of sagas, which hold positions and ids of other events. */
  readonly sagaSteps: number;
  /** Events that this run has written. */
  readonly written: number;
  /** Events that an earlier run had. */
  readonly skipped: number;
  /** Receipts that were taken over. */
  readonly receipts: number;
}

const optionKeys = [
  'aggregates',
  'events',
  'sagaSteps',
  'record',
  'signal',
  'onProgress',
] satisfies (keyof MigrationOptions)[];
/** Events in one transaction. */
const batchSize = 4_096;

/** An event, and what became of it. */
interface Step {
  readonly old: Recorded;
  readonly now: readonly RecordedDraft[];
}

/**
 * Writes what a function makes of a store, as it is at this moment, into an empty one, and compares the two. Times stay; an event whose
 * stream, version and body are the same keeps its id; versions and positions have no gaps. The source is only read. Called again after an
 * interruption, or when the source has grown, it goes on where it ended.
 * @throws {EngineError} `migration_failed` if the function fails, or returns what is no event; `copy_refused` if the target holds anything
 * but the beginning of what the function gives; `option_invalid`; what reading and writing throw; what `record` throws; the signal's
 * reason, when aborted.
 */
export async function migrateLog<Event extends StoredEvent = StoredEvent>(
  source: EventLog,
  target: EventLog,
  migrate: Migration<Event>,
  options: MigrationOptions = {},
): Promise<MigrationResult> {
  checkOptions(source, target, migrate, options);
  const { position: total } = await source.head();
  const { position: present } = await target.head();
  await requireKnownReceipts(source, target, 'commandDigest', options.signal);
  // The one boundary where stored events are taken to have the types that the function says.
  const run = new Run(source, target, migrate as unknown as Migration, options, total);
  const { written, renumbering } = await run.write(present);
  const newPosition = renumbering.newPosition.bind(renumbering);
  const receipts = await copyReceipts(source, target, total, options.signal, (receipt) =>
    movedReceipt(receipt, newPosition),
  );
  return { ...(await run.verify()), written, skipped: present, receipts };
}

function checkOptions(source: EventLog, target: EventLog, migrate: unknown, options: MigrationOptions): void {
  if (source === target) throw optionInvalid('target', 'the source', 'another store');
  if (typeof migrate !== 'function') throw optionInvalid('migrate', migrate, 'a function');
  checkKeys('the options of a migration', options, optionKeys);
  checkSignal(options.signal);
}

/** Goes through the source twice: to write, and to compare. */
class Run {
  readonly #source: EventLog;
  readonly #target: EventLog;
  readonly #migrator: Migrator;
  readonly #options: MigrationOptions;
  readonly #total: Position;

  constructor(source: EventLog, target: EventLog, migrate: Migration, options: MigrationOptions, total: Position) {
    const { aggregates = [], events, sagaSteps = false } = options;
    const rules: MigrationRules = { aggregates, events, sagaSteps, eventsMax: target.limits.eventsPerAppend };
    this.#source = source;
    this.#target = target;
    this.#migrator = new Migrator(migrate, target.encoderOf(), rules);
    this.#options = options;
    this.#total = total;
  }

  async *#steps(phase: MigrationProgress['phase'], renumbering: Renumbering): AsyncGenerator<readonly Step[]> {
    const { signal, onProgress } = this.#options;
    const [total, query] = [this.#total, { until: this.#total, pageSize: 1_024 }];
    let done = 0;
    for await (const page of this.#source.readRecorded(query, signal)) {
      const steps: Step[] = [];
      for (const old of page) steps.push({ old, now: await renumbering.place(old, await this.#migrator.apply(old)) });
      yield steps;
      done += page.length;
      onProgress?.({ phase, done, total });
    }
    if (done !== total) throw copyRefused(`the source gave ${done} of its ${total} events`);
  }

  /** @param present what the target holds already. */
  async write(present: Position): Promise<{ readonly written: number; readonly renumbering: Renumbering }> {
    const { signal } = this.#options;
    const renumbering = new Renumbering(this.#source);
    await using there = each(this.#target.readRecorded({ until: present, pageSize: 1_024 }, signal));
    let batch: RecordedDraft[] = [];
    let written = 0;
    const send = async () => {
      signal?.throwIfAborted();
      written += (await this.#target.import(batch)).imported;
      batch = [];
    };
    for await (const steps of this.#steps('migrating', renumbering)) {
      for (const { old, now } of steps) {
        for (const event of now) {
          if (event.position <= present) requireSame(event, (await there.next()).value, old);
          else batch.push(event);
          if (batch.length >= batchSize) await send();
        }
      }
    }
    if (renumbering.position < present)
      throw copyRefused(`it holds ${present} events, and the function gives only ${renumbering.position}`);
    await send();
    return { written, renumbering };
  }

  async verify(): Promise<Pick<MigrationResult, 'events' | 'kept' | 'leftOut' | 'sagaSteps'>> {
    const { signal, record } = this.#options;
    const renumbering = new Renumbering(this.#source);
    await using there = each(this.#target.readRecorded({ pageSize: 1_024 }, signal));
    let [kept, leftOut, sagaSteps] = [0, 0, 0];
    for await (const steps of this.#steps('verifying', renumbering)) {
      const entries: MigrationRecord[] = [];
      for (const { old, now } of steps) {
        for (const event of now) requireSame(event, (await there.next()).value, old);
        if (old.type === sagaStepType) sagaSteps += 1;
        if (now.length === 0) leftOut += 1;
        if (isKept(old, now)) kept += 1;
        else entries.push({ old: referenceTo(old), new: now.map(referenceTo) });
      }
      if (entries.length > 0) await record?.(entries);
    }
    if ((await there.next()).value !== undefined)
      throw copyRefused(`it holds more than the ${renumbering.position} events that the function gives`);
    return { events: this.#total, kept, leftOut, sagaSteps };
  }
}

/** The id is made of nothing else; the time is the same anyway. */
function isKept(old: Recorded, [only, ...more]: readonly RecordedDraft[]): boolean {
  if (only === undefined || more.length > 0) return false;
  return only.stream === old.stream && only.version === old.version && areEqual(only.bodyDigest, old.bodyDigest);
}

function requireSame(wanted: RecordedDraft, found: Recorded | undefined, { position: from }: Recorded): void {
  const { position } = wanted;
  if (found?.position === position && areEqual(found.id, wanted.id)) return;
  throw copyRefused(`at position ${position} it does not hold what the function gives for the event at ${from} now`);
}

function referenceTo({ position, stream, version, id }: Recorded): EventReference {
  return { position, stream, version, id: toHex(id) };
}
