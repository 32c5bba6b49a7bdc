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

/** An event on its way. */
interface Placed {
  readonly stream: string;
  readonly draft: Draft;
}

/** What the receipt of a batch says; digests are hexadecimal. */
interface Taken {
  readonly lines: number;
  /** Of the input up to its end. */
  readonly input: string;
  /** Of the events that were made of it. */
  readonly events: string;
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

/** Events or lines. Well below the limit of an append, which would be warned about. */
const batchMax = 500;

/**
 * Appends events of other systems in the order in which they come, each line once, however often the import is begun
 * again.
 *
 * Every batch of lines is one append, with a receipt. The receipts of an import are a chain: each has a key made of all
 * the input before it (the first: of the first line), and says what its lines were and what was made of them. So a
 * repetition recognises what is there, also where lines were added at the end, where they come through a pipe, or where
 * the file was compressed meanwhile; and it notices what was changed, and a map that was.
 */
export class ForeignEvents implements Sink {
  readonly #options: ForeignOptions;
  readonly #batchMax: number;
  #batch: Placed[] = [];
  /** Lines of the batch, and the number of the first. */
  #lines = 0;
  #firstLine = 0;
  /** Of everything before the batch. */
  #before = '';
  /** Goes on with the lines of the batch. */
  #input = createHash('sha256');
  /** What the batch must be, where an earlier import has appended it. */
  #taken: Taken | undefined;
  imported = 0;
  skipped = 0;

  constructor(options: ForeignOptions) {
    this.#options = options;
    this.#batchMax = Math.min(batchMax, options.log.limits.eventsPerAppend);
  }

  async add({ number, value, bytes }: Line): Promise<void> {
    const placed: Placed[] = [];
    // A line counts as a whole: one of its events may be no good.
    for (const event of await this.#mapped(number, value)) placed.push(await this.#encoded(event, number));
    if (this.#lines === 0) await this.#begin(number, bytes);
    this.#batch.push(...placed);
    this.#lines += 1;
    this.#input.update(bytes).update('\n');
    const isFull = this.#batch.length >= this.#batchMax || this.#lines >= this.#batchMax;
    if (this.#taken === undefined ? isFull : this.#lines === this.#taken.lines) await this.#send();
  }

  async end(): Promise<void> {
    if (this.#lines > 0) await this.#send();
  }

  /** The first line tells an import from others, and so does its source. */
  async #begin(number: number, bytes: Uint8Array): Promise<void> {
    this.#firstLine = number;
    if (this.#before === '') {
      const { source = '' } = this.#options;
      this.#before = createHash('sha256').update(`${source}\n`).update(bytes).digest('hex');
    }
    this.#input = createHash('sha256').update(this.#before);
    const receipt = await this.#options.log.receipt(this.#key);
    this.#taken = receipt && (JSON.parse(new TextDecoder().decode(receipt.outcome)) as Taken);
  }

  get #key(): string {
    return `eventsrc:import:${this.#before}`;
  }

  async #send(): Promise<void> {
    const batch: Taken = {
      lines: this.#lines,
      input: this.#input.digest('hex'),
      events: digestOf(this.#batch),
    };
    if (this.#taken === undefined) await this.#append(batch);
    else this.#requireSame(batch, this.#taken);
    this.#before = batch.input;
    this.#batch = [];
    this.#lines = 0;
    this.#taken = undefined;
  }

  #requireSame(batch: Taken, taken: Taken): void {
    const { name } = this.#options;
    if (batch.input !== taken.input) {
      const found =
        batch.lines < taken.lines
          ? `${name} ends before what was imported of it does`
          : `From line ${this.#firstLine} on ${name} is not what was imported before`;
      throw new CliError(
        found,
        'Import it as it was; lines may be added at its end. Another input that begins alike needs another --source.',
      );
    }
    if (batch.events !== taken.events) {
      throw new CliError(
        `From line ${this.#firstLine} on ${name} was imported before, as other events`,
        'Import it with the --map and the schemas of that time, or into another store.',
      );
    }
    this.skipped += this.#batch.length;
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
      const { stream, type, data = null, tags } = event;
      const metadata = metadataOf(source === undefined ? event : { source, ...event });
      const draft = await declared.encode(stream, { type, data, metadata, ...(tags !== undefined && { tags }) });
      return { stream, draft };
    } catch (cause) {
      const { summary, remedy } = explain(cause);
      throw new CliError(`Line ${line} of ${name}: ${summary}`, remedy, { cause });
    }
  }

  async #append(taken: Taken): Promise<void> {
    const { log, isDry, name } = this.#options;
    if (!isDry) {
      const receipt: ReceiptDraft = {
        key: this.#key,
        commandDigest: Buffer.from(taken.input, 'hex'),
        outcome: toUtf8(JSON.stringify(taken)),
        expiresAt: null,
      };
      const result = await log.commit({ writes: runsOf(this.#batch), checks: [], conditions: [], receipts: [receipt] });
      if (result.kind === 'duplicate')
        throw new CliError(`Another import of ${name} is under way`, 'Wait for its end, and import again.');
      if (result.kind !== 'appended') {
        const { message, remedy } = refused(result);
        const lines = `Lines ${this.#firstLine} to ${this.#firstLine + this.#lines - 1}`;
        throw new CliError(`${lines} of ${name}: ${message}`, remedy);
      }
    }
    this.imported += this.#batch.length;
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

function digestOf(batch: readonly Placed[]): string {
  const hash = createHash('sha256');
  for (const { stream, draft } of batch) hash.update(`${stream}\n`).update(draft.bodyDigest);
  return hash.digest('hex');
}
