import { createHash } from 'node:crypto';
import { toUtf8 } from '../../event/bytes.ts';
import type { Draft } from '../../event/event.ts';
import type { EventLog } from '../../store/log.ts';
import type { ReceiptDraft, StreamWrite } from '../../store/port.ts';
import { refused } from '../declared-events.ts';
import type { DeclaredEvents } from '../declared-events.ts';
import { CliError, explain } from '../failure.ts';
import { metadataOf } from './foreign-event.ts';
import type { ForeignEvent, Mapping } from './foreign-event.ts';
import type { Line } from './lines.ts';
import type { Sink } from './sink.ts';

/** An event on its way, and the line that it was made of. */
interface Placed {
  readonly stream: string;
  readonly draft: Draft;
  readonly line: number;
}

/** What the receipt of a batch says. */
interface Taken {
  readonly events: number;
  /** Of the events, hexadecimal. */
  readonly digest: string;
}

export interface ForeignOptions {
  readonly log: EventLog;
  readonly declared: DeclaredEvents;
  readonly map: Mapping;
  /** Of the input, for people. */
  readonly name: string;
  /** Of events that do not say theirs. */
  readonly source: string | undefined;
  /** Only checks. */
  readonly isDry: boolean;
}

/** Well below the limit of an append, which would be warned about. */
const batchMax = 500;

/**
 * Appends events of other systems in the order in which they come, each once, however often the import is begun again.
 *
 * Every batch is one append, with a receipt for its events. The receipts of an import are a chain: each has a key made of
 * everything before it, and says how many events it stands for. So a repetition recognises what is there, also where
 * the file has grown, where it comes through a pipe, or where it was compressed meanwhile.
 */
export class ForeignEvents implements Sink {
  readonly #options: ForeignOptions;
  readonly #batchMax: number;
  #batch: Placed[] = [];
  /** Of everything before the batch. */
  #digest = '';
  /** What the batch must be, where an earlier import has appended it. */
  #taken: Taken | undefined;
  imported = 0;
  skipped = 0;

  constructor(options: ForeignOptions) {
    this.#options = options;
    this.#batchMax = Math.min(batchMax, options.log.limits.eventsPerAppend);
  }

  async add({ number, value }: Line): Promise<void> {
    const placed: Placed[] = [];
    // A line counts as a whole: one of its events may be no good.
    for (const event of await this.#mapped(number, value)) placed.push(await this.#encoded(event, number));
    for (const event of placed) {
      this.#batch.push(event);
      if (this.#batch.length === 1) await this.#begin();
      if (this.#batch.length >= (this.#taken?.events ?? this.#batchMax)) await this.#send();
    }
  }

  async end(): Promise<void> {
    if (this.#batch.length > 0) await this.#send();
  }

  async #mapped(number: number, value: unknown): Promise<readonly ForeignEvent[]> {
    let mapped: ForeignEvent | readonly ForeignEvent[] | undefined;
    try {
      mapped = await this.#options.map(value, number);
    } catch (cause) {
      if (cause instanceof CliError) throw cause;
      throw new CliError(`The function of --map failed for line ${number}: ${explain(cause).summary}`, 'Correct it.', {
        cause,
      });
    }
    if (mapped === undefined || mapped === null) return [];
    return Array.isArray(mapped) ? (mapped as readonly ForeignEvent[]) : [mapped as ForeignEvent];
  }

  async #encoded(event: ForeignEvent, line: number): Promise<Placed> {
    const { declared, name, source } = this.#options;
    try {
      const { stream, type, data, tags } = event;
      const metadata = metadataOf(source === undefined ? event : { source, ...event });
      const draft = await declared.encode(stream, { type, data, metadata, ...(tags !== undefined && { tags }) });
      return { stream, draft, line };
    } catch (cause) {
      const { summary, remedy } = explain(cause);
      throw new CliError(`Line ${line} of ${name}: ${summary}`, remedy, { cause });
    }
  }

  /** The first event of an import tells it from others. */
  async #begin(): Promise<void> {
    if (this.#digest === '') this.#digest = digestOf('', this.#batch);
    const receipt = await this.#options.log.receipt(this.#key);
    this.#taken = receipt && (JSON.parse(new TextDecoder().decode(receipt.outcome)) as Taken);
  }

  get #key(): string {
    return `eventsrc:import:${this.#digest}`;
  }

  async #send(): Promise<void> {
    const [batch, taken] = [this.#batch, this.#taken];
    const digest = digestOf(this.#digest, batch);
    if (taken === undefined) await this.#append(batch, digest);
    else if (taken.digest === digest) this.skipped += batch.length;
    else throw this.#differs(batch);
    this.#batch = [];
    this.#taken = undefined;
    this.#digest = digest;
  }

  async #append(batch: readonly Placed[], digest: string): Promise<void> {
    const { log, isDry, name } = this.#options;
    this.imported += isDry ? batch.length : 0;
    if (isDry) return;
    const taken: Taken = { events: batch.length, digest };
    const receipt: ReceiptDraft = {
      key: this.#key,
      commandDigest: Buffer.from(digest, 'hex'),
      outcome: toUtf8(JSON.stringify(taken)),
      expiresAt: null,
    };
    const result = await log.commit({ writes: runsOf(batch), checks: [], conditions: [], receipts: [receipt] });
    if (result.kind !== 'appended') {
      const { message, remedy } = refused(result);
      throw new CliError(`Lines ${batch[0]?.line} to ${batch.at(-1)?.line} of ${name}: ${message}`, remedy);
    }
    this.imported += batch.length;
  }

  #differs(batch: readonly Placed[]): CliError {
    return new CliError(
      `From line ${batch[0]?.line} on ${this.#options.name} is not what was imported before`,
      'Import the file as it was, with the same --map; new events may only follow at its end.',
    );
  }
}

/** In their order: a stream is written as often as its events are interrupted by others'. */
function runsOf(batch: readonly Placed[]): readonly StreamWrite[] {
  const runs: { stream: string; expected: 'any'; events: Draft[] }[] = [];
  for (const { stream, draft } of batch) {
    const last = runs.at(-1);
    if (last?.stream === stream) last.events.push(draft);
    else runs.push({ stream, expected: 'any', events: [draft] });
  }
  return runs;
}

function digestOf(before: string, batch: readonly Placed[]): string {
  const hash = createHash('sha256').update(before);
  for (const { stream, draft } of batch) hash.update(`\n${stream}\n`).update(draft.bodyDigest);
  return hash.digest('hex');
}
