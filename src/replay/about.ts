/** Which subject is meant, checked: from here on there is no doubt. */
import type { AnyAggregate } from '../command/aggregate.ts';
import { streamBoundary } from '../command/boundary.ts';
import type { StreamBoundary } from '../command/boundary.ts';
import { streamName } from '../event/names.ts';
import { checkKeys, optionInvalid } from '../ground/check-options.ts';
import type { AnyProjection } from '../projection/projection.ts';
import { checkReadQuery } from '../store/read-query.ts';
import { checkDocumentKey } from '../store/state-commit.ts';
import type { EventRange, FoldSubject, Subject } from './subject.ts';

export type About =
  | { readonly kind: 'instance'; readonly boundary: StreamBoundary }
  | { readonly kind: 'aggregate'; readonly aggregate: AnyAggregate }
  | { readonly kind: 'documents'; readonly projection: AnyProjection }
  | { readonly kind: 'document'; readonly projection: AnyProjection; readonly key: string }
  | { readonly kind: 'fold'; readonly fold: FoldSubject['fold']; readonly range: EventRange }
  | { readonly kind: 'events'; readonly range: EventRange };

/** An instance or a document: what is one value at a moment. */
export type AboutOne = Extract<About, { readonly kind: 'instance' | 'document' }>;

const shapes = [['aggregate', 'id'], ['projection', 'key'], ['fold', 'query'], ['query']] as const;
const subjectKeys = ['aggregate', 'id', 'projection', 'key', 'fold', 'query'];
const rangeKeys = [
  'stream',
  'match',
  'after',
  'until',
  'afterVersion',
  'untilVersion',
  'recordedFrom',
  'recordedUntil',
] satisfies (keyof EventRange)[];

/** @throws {EngineError} `option_invalid`, `name_invalid`, `request_invalid` */
export function aboutOf(subject: Subject): About {
  checkKeys('the subject', subject, subjectKeys);
  const given = new Map<string, unknown>(Object.entries(subject).filter(([, value]) => value !== undefined));
  const shape = shapes.find(([first]) => given.has(first)) ?? [];
  for (const [key, value] of given) {
    if ((shape as readonly string[]).includes(key)) continue;
    const [first] = shape;
    const missing = key === 'id' ? 'an aggregate' : 'a projection';
    throw optionInvalid(
      key,
      value,
      first === undefined ? `${missing} beside it` : `nothing of the kind beside ${first}`,
    );
  }
  if (given.has('aggregate')) return aboutAggregate(given.get('aggregate'), given.get('id'));
  if (given.has('projection')) return aboutProjection(checkProjection(given.get('projection')), given.get('key'));
  const range = checkRange((given.get('query') ?? {}) as EventRange);
  if (given.has('fold')) return { kind: 'fold', fold: checkFold(given.get('fold')), range };
  return { kind: 'events', range };
}

/** @throws {EngineError} `option_invalid`, `name_invalid` */
export function aboutOne(subject: Subject): AboutOne {
  const about = aboutOf(subject);
  if (about.kind === 'instance' || about.kind === 'document') return about;
  throw optionInvalid('the subject', subject, 'one instance { aggregate, id }, or one document { projection, key }');
}

function aboutAggregate(aggregate: unknown, id: unknown): About {
  if (!isOfKind<AnyAggregate>(aggregate, 'aggregate'))
    throw optionInvalid('aggregate', aggregate, 'an aggregate that was defined with this package');
  if (id === undefined) return { kind: 'aggregate', aggregate };
  return { kind: 'instance', boundary: streamBoundary(aggregate, streamName(aggregate.name, id as string)) };
}

function aboutProjection(projection: AnyProjection, key: unknown): About {
  if (key === undefined) return { kind: 'documents', projection };
  checkDocumentKey(key as string);
  return { kind: 'document', projection, key: key as string };
}

/** @throws {EngineError} `option_invalid` */
export function checkProjection(projection: unknown): AnyProjection {
  if (isOfKind<AnyProjection>(projection, 'projection')) return projection;
  const isOther = isOfKind(projection, 'tables') || isOfKind(projection, 'reactor');
  throw optionInvalid(
    'projection',
    projection,
    isOther
      ? 'a projection: what tables and reactors have done cannot be folded again'
      : 'a projection that was defined with this package',
  );
}

function isOfKind<Value extends { readonly kind: string }>(value: unknown, kind: Value['kind']): value is Value {
  return typeof value === 'object' && value !== null && (value as { kind?: unknown }).kind === kind;
}

function checkFold(fold: unknown): FoldSubject['fold'] {
  checkKeys('fold', fold as object, ['initial', 'evolve']);
  for (const [name, value] of Object.entries({ initial: undefined, evolve: undefined, ...(fold as object) }))
    if (typeof value !== 'function') throw optionInvalid(`fold.${name}`, value, 'a function');
  return fold as FoldSubject['fold'];
}

function checkRange(range: EventRange): EventRange {
  checkKeys('query', range, rangeKeys);
  return checkReadQuery(range);
}
