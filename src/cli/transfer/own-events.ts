import { fromCloudEvent, isOurs } from '../../event/cloud-event.ts';
import type { CloudEventAttributes } from '../../event/cloud-event.ts';
import type { PortableEvent } from '../../event/event.ts';
import { hasCode } from '../../ground/errors.ts';
import { verifyRecorded } from '../../store/import.ts';
import type { EventLog } from '../../store/log.ts';
import { CliError } from '../failure.ts';
import type { Line } from './lines.ts';
import type { Sink } from './sink.ts';

/** Events in one transaction. */
const batchSize = 4_096;

/** Takes over what `eventsrc export` wrote: with ids, versions, times and bytes as they were. */
export class OwnEvents implements Sink {
  readonly #log: EventLog | undefined;
  readonly #name: string;
  #events: PortableEvent[] = [];
  #lines: number[] = [];
  #sent: Promise<void> = Promise.resolve();
  imported = 0;
  skipped = 0;

  /** @param log undefined to check alone. */
  constructor(log: EventLog | undefined, name: string) {
    this.#log = log;
    this.#name = name;
  }

  async add({ number, value }: Line): Promise<void> {
    if (typeof value !== 'object' || value === null || !isOurs(value as CloudEventAttributes)) {
      throw new CliError(
        `Line ${number} of ${this.#name} is no event of an eventsrc export, as the lines before it are`,
        'Import events of other systems from a file of their own.',
      );
    }
    try {
      this.#events.push(fromCloudEvent(value as CloudEventAttributes));
    } catch (error) {
      throw this.#atLine(number, error);
    }
    this.#lines.push(number);
    if (this.#events.length >= batchSize) await this.#send();
  }

  async end(): Promise<void> {
    await this.#send();
    await this.#sent;
  }

  /** While one batch is being written, the next is read. */
  async #send(): Promise<void> {
    const [events, lines] = [this.#events, this.#lines];
    this.#events = [];
    this.#lines = [];
    await this.#sent;
    this.#sent = this.#import(events, lines);
    // Whoever waits for it hears of it.
    this.#sent.catch(() => {});
  }

  async #import(events: readonly PortableEvent[], lines: readonly number[]): Promise<void> {
    try {
      if (this.#log === undefined) {
        for (const event of events) verifyRecorded(event);
        this.imported += events.length;
        return;
      }
      const { imported, skipped } = await this.#log.import(events);
      this.imported += imported;
      this.skipped += skipped;
    } catch (error) {
      throw await this.#explained(error, events, lines);
    }
  }

  /** Which line it was; the good ones of its batch are imported first. */
  async #explained(error: unknown, events: readonly PortableEvent[], lines: readonly number[]): Promise<unknown> {
    if (!hasCode(error, 'import_refused')) return error;
    const { stream, version } = error.details;
    const index = events.findIndex((event) => event.stream === stream && event.version === version);
    if (index === -1) return error;
    if (index > 0) await this.#import(events.slice(0, index), lines.slice(0, index));
    return this.#atLine(lines[index] as number, error);
  }

  #atLine(number: number, cause: unknown): unknown {
    if (!hasCode(cause, 'import_refused')) return cause;
    return new CliError(`Line ${number} of ${this.#name}: ${cause.summary}`, cause.remedy, { cause });
  }
}
