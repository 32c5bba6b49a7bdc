/** What would be, had history or its folds been others. */
import type { AnyAggregate } from '../command/aggregate.ts';
import { streamBoundary } from '../command/boundary.ts';
import type { EventSchemas, RecordedEvent } from '../event/codec.ts';
import { changesBetween, isAlike } from '../event/differences.ts';
import type { Recorded } from '../event/event.ts';
import { checkStreamName, compareCodePoints, splitStreamName } from '../event/names.ts';
import { checkKeys, checkSignal, optionInvalid } from '../ground/check-options.ts';
import { EngineError } from '../ground/errors.ts';
import type { AnyProjection } from '../projection/projection.ts';
import type { Interest } from '../projection/source.ts';
import type { Moment } from '../store/moment.ts';
import { aboutOf, checkProjection } from './about.ts';
import type { About, AboutOne } from './about.ts';
import { checkMomentOf } from './check-options.ts';
import type { ReplayContext } from './context.ts';
import { valued } from './course.ts';
import { Documents } from './documents.ts';
import type { DocumentsWhatIf, DocumentWhatIf, EventPick, Parting, WhatIf } from './past.ts';
import { scopeOf } from './scope.ts';
import type { Subject } from './subject.ts';
import type { Valued } from './target.ts';
import { Timeline } from './timeline.ts';
import { Additions, Picks, counterparts } from './what-if-events.ts';
import type { Counterpart, GivenEvent } from './what-if-events.ts';

/** What may be given, whatever the subject. */
export interface GivenWhatIf {
  readonly aggregate?: AnyAggregate;
  readonly projection?: AnyProjection;
  readonly at?: Moment;
  readonly without?: readonly EventPick[];
  readonly add?: readonly GivenEvent[];
  readonly signal?: AbortSignal;
}

type AboutDocuments = Extract<About, { readonly kind: 'documents' }>;
type Result = WhatIf<unknown, RecordedEvent> | DocumentsWhatIf<unknown, RecordedEvent>;

const commonKeys = ['at', 'without', 'add', 'signal'];
const shownMax = 100;

export async function whatIf(context: ReplayContext, subject: Subject, options: GivenWhatIf): Promise<Result> {
  const about = aboutOf(subject);
  if (about.kind === 'aggregate' || about.kind === 'fold' || about.kind === 'events')
    throw optionInvalid(
      'the subject',
      subject,
      'one instance { aggregate, id }, { projection }, or one document { projection, key }',
    );
  checkKeys('the options of what-if', options, [...commonKeys, about.kind === 'instance' ? 'aggregate' : 'projection']);
  const { at, without = [], add = [], signal } = options;
  checkSignal(signal);
  if (at !== undefined) checkMomentOf(about, at, 'at');
  const other = otherOf(about, options);
  const picks = await Picks.of(context, about, without);
  const additions = await Additions.of(context, about, add, (event) => targetOf(other, event));
  const { range } = scopeOf(about);
  const { position: until } = await new Timeline(context.log, { range }).end(at, signal);
  const has = (event: Recorded) => isOfInterest(about, event) || isOfInterest(other, event);
  const events = counterparts(context, {
    range,
    at,
    until,
    has,
    pins: [pinsOf(about), pinsOf(other)],
    picks,
    additions,
    signal,
  });
  const isChanged = options.aggregate !== undefined || options.projection !== undefined;
  const watch = new PartingWatch(isChanged);
  if (about.kind === 'documents') return compareDocuments(context, [about, other as AboutDocuments], events, watch);
  return compareValues(context, [about, other as AboutOne], events, watch);
}

/** The same, by another definition. @throws {EngineError} `option_invalid` */
function otherOf<A extends AboutOne | AboutDocuments>(about: A, { aggregate, projection }: GivenWhatIf): A {
  const requireName = (option: string, other: { readonly name: string }, name: string) => {
    if (other.name === name) return;
    throw optionInvalid(option, other, `another definition of ${name}`);
  };
  if (about.kind === 'instance') {
    if (aggregate === undefined) return about;
    // Checked as that of any subject is.
    aboutOf({ aggregate });
    requireName('aggregate', aggregate, about.boundary.fold.name);
    return { ...about, boundary: streamBoundary(aggregate, about.boundary.stream) };
  }
  if (projection === undefined) return about;
  requireName('projection', checkProjection(projection), (about as AboutDocuments).projection.name);
  return { ...about, projection };
}

/** Where an event is added, and what may be. @throws {EngineError} `option_invalid`, `name_invalid` */
function targetOf(
  other: AboutOne | AboutDocuments,
  { stream }: GivenEvent,
): { readonly stream: string; readonly schemas: EventSchemas } {
  if (other.kind === 'instance') return { stream: other.boundary.stream, schemas: other.boundary.fold.events };
  const { aggregate } = splitStreamName(checkStreamName(stream as string));
  const { from } = other.projection.interest;
  const source = from.find(({ name }) => name === aggregate);
  if (source !== undefined) return { stream: stream as string, schemas: source.events };
  throw optionInvalid(
    'stream of an event to add',
    stream,
    `a stream of what the projection is from: ${from.map(({ name }) => name).join(', ')}`,
  );
}

function pinsOf(about: AboutOne | AboutDocuments): Interest['pins'] {
  return about.kind === 'instance' ? undefined : about.projection.interest.pins;
}

function isOfInterest(about: AboutOne | AboutDocuments, event: Recorded | RecordedEvent): boolean {
  return about.kind === 'instance' || about.projection.interest.has(event);
}

/** Notes where what is and what would be part. */
class PartingWatch {
  /** Until something is another way there is nothing to compare. */
  #mayDiffer: boolean;
  #parting: (Parting<RecordedEvent> & { readonly key: string }) | undefined;

  constructor(mayDiffer: boolean) {
    this.#mayDiffer = mayDiffer;
  }

  /** @param differing what an event led to: as it is, and as it would be; of each key that it concerns. */
  look(
    part: Counterpart,
    values: () => readonly (readonly [key: string, actual: unknown, hypothetical: unknown])[],
  ): void {
    this.#mayDiffer ||= part.kind !== 'happened';
    if (!this.#mayDiffer || this.#parting !== undefined) return;
    const found = values().find(([, actual, hypothetical]) => !isAlike(actual, hypothetical));
    if (found === undefined) return;
    const [key, actual, hypothetical] = found;
    const event = part.kind === 'left_out' ? part.actual : part.hypothetical;
    this.#parting = { event, kind: part.kind, key, changes: changesBetween(actual, hypothetical) };
  }

  get parting(): (Parting<RecordedEvent> & { readonly key: string }) | undefined {
    return this.#parting;
  }
}

type Pair<Value> = readonly [actual: Value, hypothetical: Value];

async function compareValues(
  context: ReplayContext,
  abouts: Pair<AboutOne>,
  events: AsyncIterable<Counterpart>,
  watch: PartingWatch,
): Promise<WhatIf<unknown, RecordedEvent>> {
  const [is, would] = [valued(abouts[0], context), valued(abouts[1], context)];
  const actual = new Side(takingInto(abouts[0], is), true);
  const hypothetical = new Side(takingInto(abouts[1], would), false);
  for await (const part of events) {
    const isConcerned = [actual.take(part.actual), hypothetical.take(part.hypothetical)];
    if (isConcerned.includes(true)) watch.look(part, () => [['', is.value, would.value]]);
  }
  const { key: _, ...parting } = watch.parting ?? { key: '' };
  return {
    actual: is.value,
    hypothetical: would.value,
    changes: changesBetween(is.value, would.value),
    ...('event' in parting && { firstDifference: parting }),
    ...told(actual, hypothetical),
  };
}

/** One of the two histories, folded. */
class Side {
  /** How many events it was folded from. */
  count = 0;
  failure: EngineError | undefined;
  readonly #take: (event: RecordedEvent) => boolean;
  readonly #mayFail: boolean;

  /** @param take folds an event, if it is of interest. @param mayFail whether the other is of use without it. */
  constructor(take: (event: RecordedEvent) => boolean, mayFail: boolean) {
    this.#take = take;
    this.#mayFail = mayFail;
  }

  /** @returns whether it concerned this side. */
  take(event: RecordedEvent | undefined): boolean {
    if (event === undefined || this.failure !== undefined) return false;
    try {
      const isTaken = this.#take(event);
      if (isTaken) this.count += 1;
      return isTaken;
    } catch (error) {
      if (!this.#mayFail || !(error instanceof EngineError)) throw error;
      this.failure = error;
      return true;
    }
  }
}

function told(actual: Side, hypothetical: Side) {
  return {
    ...(actual.failure && { actualFailure: actual.failure }),
    events: { actual: actual.count, hypothetical: hypothetical.count },
  };
}

function takingInto(about: AboutOne, target: Valued): (event: RecordedEvent) => boolean {
  const { where } = scopeOf(about);
  return (event) => {
    if (!isOfInterest(about, event) || where?.(event) === false) return false;
    target.take([event]);
    return true;
  };
}

async function compareDocuments(
  { freezes }: ReplayContext,
  abouts: Pair<AboutDocuments>,
  events: AsyncIterable<Counterpart>,
  watch: PartingWatch,
): Promise<DocumentsWhatIf<unknown, RecordedEvent>> {
  const touched = new Set<string>();
  const takingIntoAll =
    ({ projection }: AboutDocuments, documents: Documents) =>
    (event: RecordedEvent): boolean => {
      if (!projection.interest.has(event)) return false;
      for (const key of documents.keysOf(event)) touched.add(key);
      documents.fold([event]);
      return true;
    };
  const [is, would] = [new Documents(abouts[0].projection, freezes), new Documents(abouts[1].projection, freezes)];
  const actual = new Side(takingIntoAll(abouts[0], is), true);
  const hypothetical = new Side(takingIntoAll(abouts[1], would), false);
  for await (const part of events) {
    touched.clear();
    actual.take(part.actual);
    hypothetical.take(part.hypothetical);
    watch.look(part, () => [...touched].map((key) => [key, is.get(key), would.get(key)]));
  }
  const firstDifference = watch.parting;
  return {
    ...differencesOf(is, would),
    ...(firstDifference && { firstDifference }),
    ...told(actual, hypothetical),
  };
}

function differencesOf(actual: Documents, hypothetical: Documents) {
  const keys = [...new Set([...actual.all.keys(), ...hypothetical.all.keys()])].sort(compareCodePoints);
  const differences: DocumentWhatIf<unknown>[] = [];
  let differing = 0;
  for (const key of keys) {
    const [is, would] = [actual.get(key), hypothetical.get(key)];
    if (isAlike(is, would)) continue;
    differing += 1;
    if (differences.length < shownMax)
      differences.push({ key, actual: is, hypothetical: would, changes: changesBetween(is, would) });
  }
  return { compared: keys.length, differing, differences };
}
