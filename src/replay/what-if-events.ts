/** The events of a history that is another one: some left out, some added, the rest as they were. */
import type { Casts, Pins } from '../event/casts.ts';
import { decodeEvent } from '../event/codec.ts';
import type { EventEncoder, EventSchemas, RecordedEvent, UntypedEvent } from '../event/codec.ts';
import type { Draft, Recorded } from '../event/event.ts';
import { RecordedDraft } from '../event/recorded-draft.ts';
import { checkKeys, optionInvalid } from '../ground/check-options.ts';
import { isBy } from '../store/moment.ts';
import type { Moment } from '../store/moment.ts';
import type { Position } from '../store/port.ts';
import type { About } from './about.ts';
import { checkMomentOf } from './check-options.ts';
import type { ReplayContext } from './context.ts';
import type { EventPick } from './past.ts';
import type { EventRange } from './subject.ts';

/** An event as it is, and as it would be: one of them is missing where it is left out or added. */
export type Counterpart =
  | { readonly kind: 'happened'; readonly actual: RecordedEvent; readonly hypothetical: RecordedEvent }
  | { readonly kind: 'left_out'; readonly actual: RecordedEvent; readonly hypothetical?: undefined }
  | { readonly kind: 'added'; readonly actual?: undefined; readonly hypothetical: RecordedEvent };

/** An event to add, encoded. */
export interface Addition {
  readonly stream: string;
  readonly draft: Draft;
  readonly after: Moment | undefined;
}

interface Numbered {
  readonly recorded: Recorded;
  readonly version: number;
}

const pickKeys = ['version', 'position', 'id'];

/** Events to leave out, and whether there are such. */
export class Picks {
  readonly #positions: ReadonlyMap<Position, EventPick>;
  readonly #versions: ReadonlyMap<number, EventPick>;
  readonly #found = new Set<EventPick>();
  readonly #given: readonly EventPick[];

  private constructor(
    given: readonly EventPick[],
    positions: ReadonlyMap<Position, EventPick>,
    versions: ReadonlyMap<number, EventPick>,
  ) {
    this.#given = given;
    this.#positions = positions;
    this.#versions = versions;
  }

  /** @throws {EngineError} `option_invalid`, `name_invalid` */
  static async of({ log }: ReplayContext, { kind }: About, given: readonly EventPick[]): Promise<Picks> {
    if (!Array.isArray(given)) throw optionInvalid('without', given, 'a list of { version }, { position } or { id }');
    const positions = new Map<Position, EventPick>();
    const versions = new Map<number, EventPick>();
    for (const pick of given as readonly EventPick[]) {
      checkKeys('an event to leave out', pick, pickKeys);
      if (Object.keys(pick).length !== 1)
        throw optionInvalid('without', pick, 'one of { version }, { position }, { id } each');
      if ('version' in pick) {
        if (kind !== 'instance')
          throw optionInvalid('without', pick, '{ position } or { id }: only one instance has versions');
        versions.set(pick.version, pick);
      } else if ('position' in pick) positions.set(pick.position, pick);
      else positions.set((await log.find(pick.id))?.position ?? 0, pick);
    }
    return new Picks(given, positions, versions);
  }

  has({ position, version }: Recorded): boolean {
    const picks = [this.#positions.get(position), this.#versions.get(version)].filter((pick) => pick !== undefined);
    for (const pick of picks) this.#found.add(pick);
    return picks.length > 0;
  }

  /** Whoever leaves out what there is not has made a mistake. @throws {EngineError} `option_invalid` */
  requireFound(): void {
    const missing = new Set([...this.#positions.values(), ...this.#versions.values()]);
    for (const pick of this.#found) missing.delete(pick);
    const [first] = missing;
    if (first === undefined) return;
    throw optionInvalid('without', this.#given, `events that are there: there is none with ${JSON.stringify(first)}`);
  }
}

/** Events to add, as they would have been recorded. */
export class Additions {
  readonly list: readonly Addition[];
  readonly streams: ReadonlySet<string>;

  private constructor(list: readonly Addition[]) {
    this.list = list;
    this.streams = new Set(list.map(({ stream }) => stream));
  }

  /**
   * @param targetOf the stream that an event goes to, and the schemas of what it may hold.
   * @throws {EngineError} `event_invalid`, `event_type_unknown`, `data_unfaithful`, `limit_exceeded`, `option_invalid`
   */
  static async of(
    { log }: ReplayContext,
    about: About,
    given: readonly GivenEvent[],
    targetOf: (event: GivenEvent) => { readonly stream: string; readonly schemas: EventSchemas },
  ): Promise<Additions> {
    if (!Array.isArray(given)) throw optionInvalid('add', given, 'a list of events');
    const encoders = new Map<EventSchemas, EventEncoder>();
    const list: Addition[] = [];
    for (const event of given as readonly GivenEvent[]) {
      const known = about.kind === 'instance' ? addKeys : [...addKeys, 'stream'];
      checkKeys('an event to add', event, known);
      const { after, stream: _, ...untyped } = event;
      if (after !== undefined) checkMomentOf(about, after, 'after');
      const { stream, schemas } = targetOf(event);
      const encoder = encoders.get(schemas) ?? log.encoderOf(schemas);
      encoders.set(schemas, encoder);
      list.push({ stream, draft: await encoder.encode(untyped), after });
    }
    return new Additions(list);
  }
}

export interface GivenEvent extends UntypedEvent {
  readonly after?: Moment;
  readonly stream?: string;
}

const addKeys = ['after', 'type', 'data', 'metadata', 'tags'];

/** What history, and what is to be another way. */
export interface Alternative {
  readonly range: EventRange;
  /** As of when; undefined: now. */
  readonly at: Moment | undefined;
  /** The position of that. */
  readonly until: Position;
  /** Of interest, whether as it is or as it would be. */
  readonly has: (event: Recorded) => boolean;
  /** Versions that are read instead of the newest: as it is, and as it would be. */
  readonly pins: readonly [actual: Pins | undefined, hypothetical: Pins | undefined];
  readonly picks: Picks;
  readonly additions: Additions;
  readonly signal: AbortSignal | undefined;
}

/**
 * Both histories side by side.
 * @throws {EngineError} `option_invalid` where an event that is left out is not there, or one that is added comes too late.
 */
export async function* counterparts(context: ReplayContext, alternative: Alternative): AsyncGenerator<Counterpart> {
  const { range, at, until, has, pins, picks, additions, signal } = alternative;
  const course = new Renumbering(additions.list, context, pins);
  for await (const page of context.log.recorded({ ...range, until, pageSize: 512 }, signal)) {
    for (const recorded of page) {
      yield* course.addedBefore(recorded);
      const isLeftOut = picks.has(recorded);
      const isOfInterest = has(recorded);
      if (!isLeftOut && !isOfInterest && !additions.streams.has(recorded.stream)) continue;
      const next = course.pass(recorded, isLeftOut);
      if (isOfInterest) yield* next;
    }
  }
  if (at !== undefined) await requireBy(context, { range, at, until, signal }, course.waiting);
  yield* course.addedAtTheEnd();
  picks.requireFound();
}

/** What follows an event that is later than the moment has no part in what was by then. @throws {EngineError} `option_invalid` */
async function requireBy(
  { log }: ReplayContext,
  { range, at, until, signal }: Pick<Alternative, 'range' | 'until' | 'signal'> & { readonly at: Moment },
  waiting: readonly Addition[],
): Promise<void> {
  if (waiting.every(({ after }) => after === undefined)) return;
  for await (const [next] of log.recorded({ ...range, after: until, limit: 1 }, signal)) {
    if (next === undefined || isBy(at, next)) return;
    const late = waiting.find(({ after }) => after !== undefined && isBy(after, next));
    if (late !== undefined) throw optionInvalid('after', late.after, 'a moment that is not after `at`');
  }
}

/** Gives each event the version that it would have had. */
class Renumbering {
  readonly #now: () => number;
  readonly #casts: Casts;
  readonly #pins: Alternative['pins'];
  #waiting: readonly Addition[];
  /** By how much versions differ, by stream; and the version that each stream would be at, of those that are added to. */
  readonly #shifts = new Map<string, number>();
  readonly #versions = new Map<string, number>();
  #before: Recorded | undefined;

  constructor(
    additions: readonly Addition[],
    { now, log }: Pick<ReplayContext, 'now' | 'log'>,
    pins: Alternative['pins'],
  ) {
    this.#pins = pins;
    this.#waiting = additions;
    this.#now = now;
    this.#casts = log.casts;
  }

  /** What has not come yet. */
  get waiting(): readonly Addition[] {
    return this.#waiting;
  }

  /** What is to come before an event; what comes later follows that one. */
  *addedBefore(event: Recorded): Generator<Counterpart> {
    const isDue = ({ after }: Addition) => after !== undefined && !isBy(after, event);
    const due = this.#waiting.filter(isDue);
    if (due.length > 0) this.#waiting = this.#waiting.filter((addition) => !isDue(addition));
    for (const addition of due) yield this.#add(addition, event.recordedAt);
    this.#before = event;
  }

  *addedAtTheEnd(): Generator<Counterpart> {
    for (const addition of this.#waiting) yield this.#add(addition, this.#now());
  }

  /** Each of the events that a stored one is read as. */
  pass(recorded: Recorded, isLeftOut: boolean): readonly Counterpart[] {
    const { stream } = recorded;
    const shift = this.#shifts.get(stream) ?? 0;
    const [pins, otherPins] = this.#pins;
    const read = this.#casts.readAll([recorded], pins);
    if (isLeftOut) {
      this.#shifts.set(stream, shift - 1);
      return read.map((actual) => ({ kind: 'left_out', actual }));
    }
    const version = recorded.version + shift;
    this.#versions.set(stream, version);
    const isAsRead = shift === 0 && pins === otherPins;
    const would = isAsRead ? read : this.#casts.readAll([renumbered({ recorded, version })], otherPins);
    return read.map((actual, index) => ({ kind: 'happened', actual, hypothetical: would[index] as RecordedEvent }));
  }

  /** @param otherwiseAt when it happened, if it is the first. */
  #add({ stream, draft }: Addition, otherwiseAt: number): Counterpart {
    const version = (this.#versions.get(stream) ?? 0) + 1;
    this.#versions.set(stream, version);
    this.#shifts.set(stream, (this.#shifts.get(stream) ?? 0) + 1);
    const { position = 0, recordedAt = otherwiseAt } = this.#before ?? {};
    const place = { stream, version, position, recordedAt };
    return { kind: 'added', hypothetical: decodeEvent(new RecordedDraft(draft, place)) };
  }
}

function renumbered({ recorded, version }: Numbered): Recorded {
  const { stream, position, recordedAt } = recorded;
  return new RecordedDraft(recorded, { stream, version, position, recordedAt });
}
