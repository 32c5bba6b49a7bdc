/** What is looked at through time: an instance, a document, or a whole view. */
import type { Command } from 'commander';
import type { AnyAggregate } from '../command/aggregate.ts';
import { checkStreamName, splitStreamName } from '../event/names.ts';
import type { AnyProjection } from '../projection/projection.ts';
import { requireProjection } from './consumers.ts';
import { sagasOf } from './definitions.ts';
import { CliError, usageError } from './failure.ts';
import type { Session } from './session.ts';
import type { EventLog } from '../store/log.ts';

export interface ViewOptions {
  readonly view?: string;
  readonly key?: string;
}

export interface Instance {
  readonly kind: 'instance';
  /** What it is called. */
  readonly name: string;
  readonly subject: { readonly aggregate: AnyAggregate; readonly id: string };
}

export interface OneDocument {
  readonly kind: 'document';
  readonly name: string;
  readonly subject: { readonly projection: AnyProjection; readonly key: string };
}

export interface WholeView {
  readonly kind: 'view';
  readonly name: string;
  readonly subject: { readonly projection: AnyProjection };
}

export function addView(command: Command, does = 'a document of this view, instead of an instance'): Command {
  return command.option('--view <name>', does).option('--key <key>', 'the key of the document');
}

/** What was named, by a stream or by a view. @throws {CliError} */
export async function subjectOf(
  session: Session,
  stream: string | undefined,
  { view, key }: ViewOptions,
): Promise<Instance | OneDocument | WholeView> {
  if (view !== undefined) {
    if (stream !== undefined)
      throw usageError(`Both ${stream} and --view ${view} were named`, 'Leave one of them out.');
    const projection = await requireProjection(session, view);
    if (key === undefined) return { kind: 'view', name: view, subject: { projection } };
    return { kind: 'document', name: `${key} of ${view}`, subject: { projection, key } };
  }
  if (key !== undefined) throw usageError('--key names a document of no view', 'Add --view NAME.');
  if (stream === undefined)
    throw usageError('Nothing was named', 'Name a stream such as account-1, or --view NAME --key KEY.');
  return instanceOf(session, stream);
}

/** One thing that is a value at a moment. @throws {CliError} */
export async function oneSubjectOf(
  session: Session,
  stream: string | undefined,
  options: ViewOptions,
): Promise<Instance | OneDocument> {
  const found = await subjectOf(session, stream, options);
  if (found.kind !== 'view') return found;
  throw usageError(`--view ${found.name} names all of a view`, 'Add --key KEY, the key of a document.');
}

/** @throws {CliError} where the config knows neither an aggregate nor a saga of this name. */
export async function instanceOf(session: Session, stream: string): Promise<Instance> {
  const { aggregates = [] } = await session.definitions();
  const known = await knownInstance(session, stream);
  if (known !== undefined) return known;
  const { aggregate: name } = splitStreamName(stream);
  const names = aggregates.map((one) => one.name).join(', ') || 'none';
  throw usageError(`The config has no aggregate ${name}; known: ${names}`, 'Name a stream: <aggregate>-<id>');
}

/** Also of a saga, whose state is how far it has come. Undefined where the config, if there is one, knows neither. @throws {EngineError} `name_invalid` */
export async function knownInstance(session: Session, stream: string): Promise<Instance | undefined> {
  const { aggregate: name, aggregateId: id } = splitStreamName(checkStreamName(stream));
  const saga = sagasOf(await session.config()).find((one) => one.name === name);
  if (saga === undefined) return knownOfAggregate(session, stream);
  return { kind: 'instance', name: stream, subject: { aggregate: saga.instances, id } };
}

/** @throws {EngineError} `name_invalid` */
export async function knownOfAggregate(session: Session, stream: string): Promise<Instance | undefined> {
  const { aggregates = [] } = await session.config();
  const { aggregate: name, aggregateId: id } = splitStreamName(checkStreamName(stream));
  const aggregate = aggregates.find((one) => one.name === name);
  return aggregate && { kind: 'instance', name: stream, subject: { aggregate, id } };
}

/** @throws {CliError} for an instance of a saga, of whose state there are no snapshots. */
export async function requireAggregate(session: Session, stream: string): Promise<Instance> {
  const found = await instanceOf(session, stream);
  if ((await knownOfAggregate(session, stream)) !== undefined) return found;
  throw usageError(`${stream} is an instance of a saga: of those there are no snapshots`, 'Name one of an aggregate.');
}

/** @returns the version of its last event. @throws {CliError} if it has none. */
export async function requireStream(log: EventLog, stream: string): Promise<number> {
  const [head] = await log.heads([stream]);
  if (head !== undefined && head.version > 0) return head.version;
  const { aggregate } = splitStreamName(stream);
  throw new CliError(`${stream} does not exist`, `Look for its name with: eventsrc streams ${aggregate}-`);
}
