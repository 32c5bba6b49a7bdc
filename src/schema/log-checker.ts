/** Whether what is stored can be read: through casts, and by the newest schema of whatever it is read as. */
import { fromUtf8 } from '../event/bytes.ts';
import type { Casts } from '../event/casts.ts';
import { toInvalidIssue } from '../event/codec.ts';
import type { RecordedEvent } from '../event/codec.ts';
import type { Recorded } from '../event/event.ts';
import { isTransforming, shapeOf } from '../event/json-schema.ts';
import { splitStreamName } from '../event/names.ts';
import type { SchemaResult, StandardSchemaV1 } from '../event/standard-schema.ts';
import { EngineError, describe } from '../ground/errors.ts';
import type { InvalidIssue } from '../ground/errors.ts';
import { incompatibilities } from './compatibility.ts';
import { nameOf } from './declared.ts';

/** An event that today's code does not read as it should. */
export interface LogFailure {
  /**
   * `undeclared`: nobody declares its type in the streams of its aggregate. `newer`: of a version that is not known yet.
   * `uncastable`: the casts to the newest version, or to what its type is read as, fail. `invalid`: what it is read as does not match its schema.
   */
  readonly kind: 'undeclared' | 'newer' | 'uncastable' | 'invalid';
  readonly position: number;
  readonly stream: string;
  readonly version: number;
  /** As it is stored. */
  readonly type: string;
  readonly schemaVersion: number;
  /** Only where that is another type: of several, which; 0 for the first. */
  readonly readAs?: { readonly type: string; readonly index: number };
  /** At least one, at most 10; paths begin with `data`, and are within what the event is read as. */
  readonly issues: readonly InvalidIssue[];
}

/** What has been found, of so many events. */
export interface LogCheck {
  /** That were looked at. */
  readonly events: number;
  /** That were passed by: types of the engine's own, such as tombstones and steps of sagas. */
  readonly own: number;
  /** Of `events`; the sum of the next four. */
  readonly failed: number;
  readonly undeclared: number;
  readonly newer: number;
  readonly uncastable: number;
  readonly invalid: number;
  /** Types, `order.OrderPlaced`, whose schemas take something else than they give, so that they say nothing of what is stored: it was only cast. */
  readonly unvalidated: readonly string[];
  /** The first ones, in the order of positions. */
  readonly failures: readonly LogFailure[];
}

const issuesMax = 10;

/** How the events of one type are read in the streams of one aggregate. */
interface Reading {
  /** Of its streams: `order-`. */
  readonly prefix: string;
  /** Undefined: its type is not declared. */
  readonly newest: number | undefined;
  /** What is stored may be of this version, to be validated as it is; 0: it is always cast. */
  readonly asItIs: number;
  readonly schema: CheckedSchema | undefined;
}

/** Undefined: it says nothing of what is stored. */
type CheckedSchema = StandardSchemaV1['~standard'] | undefined;

/** Whether an event failed; a promise only where a schema is asynchronous, or an event is read as several. */
type MaybeFailed = boolean | Promise<boolean>;

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

/** Is given events page by page, and remembers what is wrong with them. */
export class LogChecker {
  readonly #casts: Casts;
  readonly #limit: number;
  readonly #counts = { events: 0, own: 0, undeclared: 0, newer: 0, uncastable: 0, invalid: 0 };
  readonly #failures: LogFailure[] = [];
  readonly #unvalidated = new Set<string>();
  readonly #readings = new Map<string, Reading[]>();
  readonly #schemas = new Map<StandardSchemaV1, CheckedSchema>();

  /** @param limit failures that are kept, the first ones; all are counted. */
  constructor(casts: Casts, limit: number) {
    this.#casts = casts;
    this.#limit = limit;
  }

  /** @param page in the order of positions, behind the last one. @throws the signal's reason, when aborted while a schema lets it wait. */
  async check(page: Iterable<Recorded>, signal?: AbortSignal): Promise<void> {
    for (const recorded of page) {
      // Nothing is awaited without need: there may be millions.
      const failed = this.#check(recorded);
      if (typeof failed === 'boolean') continue;
      await failed;
      signal?.throwIfAborted();
    }
  }

  get result(): LogCheck {
    const { events, own, ...kinds } = this.#counts;
    const failed = Object.values(kinds).reduce((sum, count) => sum + count, 0);
    return { events, own, failed, ...kinds, unvalidated: [...this.#unvalidated].sort(), failures: this.#failures };
  }

  #check(recorded: Recorded): MaybeFailed {
    const { type, schemaVersion } = recorded;
    if (type.charCodeAt(0) === reserved) {
      this.#counts.own += 1;
      return false;
    }
    this.#counts.events += 1;
    const { newest, asItIs, schema } = this.#readingOf(recorded);
    if (asItIs === schemaVersion) return this.#checkAsItIs(recorded, schema);
    if (newest === undefined) return this.#fail(recorded, 'undeclared', 'its type is not declared');
    if (schemaVersion > newest)
      return this.#fail(recorded, 'newer', `its version is newer than ${newest}, the newest that is declared`);
    return this.#checkCast(recorded);
  }

  #readingOf({ type, stream }: Recorded): Reading {
    let known = this.#readings.get(type);
    if (known === undefined) this.#readings.set(type, (known = []));
    for (const reading of known) if (stream.startsWith(reading.prefix)) return reading;
    const { aggregate } = splitStreamName(stream);
    const newest = this.#casts.newest(type, aggregate);
    const isAsItIs = newest !== undefined && !this.#casts.isRetired(type, aggregate);
    const schema = isAsItIs ? this.#schemaOf(type, aggregate) : undefined;
    const reading = { prefix: `${aggregate}-`, newest, asItIs: isAsItIs ? newest : 0, schema };
    known.push(reading);
    return reading;
  }

  #schemaOf(type: string, aggregate: string): CheckedSchema {
    const schema = this.#casts.newestSchema(type, aggregate);
    if (schema === undefined) return undefined;
    if (!this.#schemas.has(schema))
      this.#schemas.set(schema, takesWhatItGives(schema) ? schema['~standard'] : undefined);
    const checked = this.#schemas.get(schema);
    if (checked === undefined) this.#unvalidated.add(nameOf({ owner: aggregate, type }));
    return checked;
  }

  /** What is of the newest version, as almost all are: nothing is made of it but its data. */
  #checkAsItIs(recorded: Recorded, schema: CheckedSchema): MaybeFailed {
    if (schema === undefined) return false;
    let data: unknown;
    try {
      data = JSON.parse(fromUtf8(recorded.data));
    } catch (error) {
      return this.#fail(recorded, 'invalid', `it is no JSON: ${describe(error)}`);
    }
    return this.#validate(recorded, schema, data);
  }

  #checkCast(recorded: Recorded): MaybeFailed {
    const read: RecordedEvent[] = [];
    try {
      this.#casts.read(recorded, read);
    } catch (error) {
      return this.#fail(recorded, 'uncastable', reasonOf(error));
    }
    const [only] = read;
    return read.length === 1 && only !== undefined ? this.#checkPart(recorded, only) : this.#checkParts(recorded, read);
  }

  /** An event is counted once, however many of those that it is read as are wrong. */
  async #checkParts(recorded: Recorded, parts: readonly RecordedEvent[]): Promise<boolean> {
    for (const part of parts) if (await this.#checkPart(recorded, part)) return true;
    return false;
  }

  #checkPart(recorded: Recorded, part: RecordedEvent): MaybeFailed {
    const schema = this.#schemaOf(part.type, part.aggregate);
    return schema !== undefined && this.#validate(recorded, schema, part.data, part);
  }

  #validate(
    recorded: Recorded,
    schema: StandardSchemaV1['~standard'],
    data: unknown,
    part?: RecordedEvent,
  ): MaybeFailed {
    try {
      const result = schema.validate(data);
      if (result instanceof Promise) return this.#settle(recorded, result, part);
      return result.issues !== undefined && this.#fail(recorded, 'invalid', result, part);
    } catch (error) {
      return this.#fail(recorded, 'invalid', failedText(error), part);
    }
  }

  async #settle(
    recorded: Recorded,
    pending: Promise<SchemaResult<unknown>>,
    part: RecordedEvent | undefined,
  ): Promise<boolean> {
    try {
      const result = await pending;
      return result.issues !== undefined && this.#fail(recorded, 'invalid', result, part);
    } catch (error) {
      return this.#fail(recorded, 'invalid', failedText(error), part);
    }
  }

  #fail(
    recorded: Recorded,
    kind: LogFailure['kind'],
    why: SchemaResult<unknown> | string,
    { recordedAs, type: readType }: Partial<RecordedEvent> = {},
  ): true {
    this.#counts[kind] += 1;
    if (this.#failures.length >= this.#limit) return true;
    const { position, stream, version, type, schemaVersion } = recorded;
    const issues =
      typeof why === 'string'
        ? [{ path: 'data', message: why }]
        : (why.issues ?? []).slice(0, issuesMax).map(toInvalidIssue);
    const failure: Mutable<LogFailure> = { kind, position, stream, version, type, schemaVersion, issues };
    if (recordedAs !== undefined && readType !== undefined)
      failure.readAs = { type: readType, index: recordedAs.index };
    this.#failures.push(failure);
    return true;
  }
}

/** `$`: types of the engine's own. */
const reserved = 0x24;

/**
 * What is stored is what a schema gave, once. Of one that transforms (a text into its length, say) nobody can tell by it whether that is right; where it
 * cannot be known whether it does, it is taken that it does not.
 */
function takesWhatItGives(schema: StandardSchemaV1): boolean {
  const shape = shapeOf(schema);
  if (shape === undefined) return !isTransforming(schema);
  return incompatibilities(shape.output, shape.input).every(({ reason }) => reason.startsWith('cannot be told'));
}

function failedText(error: unknown): string {
  return `its schema failed: ${describe(error)}`;
}

function reasonOf(error: unknown): string {
  const { reason } = (error instanceof EngineError ? error.details : {}) as { readonly reason?: string };
  return reason ?? describe(error);
}

/** Of ranges of positions, in their order. @param limit as of each of them. */
export function joinedChecks(checks: readonly LogCheck[], limit: number): LogCheck {
  const sum = (of: (check: LogCheck) => number) => checks.reduce((total, check) => total + of(check), 0);
  return {
    events: sum(({ events }) => events),
    own: sum(({ own }) => own),
    failed: sum(({ failed }) => failed),
    undeclared: sum(({ undeclared }) => undeclared),
    newer: sum(({ newer }) => newer),
    uncastable: sum(({ uncastable }) => uncastable),
    invalid: sum(({ invalid }) => invalid),
    unvalidated: [...new Set(checks.flatMap(({ unvalidated }) => unvalidated))].sort(),
    failures: checks.flatMap(({ failures }) => failures).slice(0, limit),
  };
}
