/** Sagas of the config, and one of their instances as it is typed: `fulfilment o-1`, or as its stream, `fulfilment-o-1`. */
import type { Engine } from '../engine/engine.ts';
import { checkStreamName, splitStreamName } from '../event/names.ts';
import type { SagaHandle } from '../saga/handle.ts';
import { readClock, systemClock } from '../ground/clock.ts';
import { sagasOf } from './definitions.ts';
import { usageError } from './failure.ts';
import type { ConsumerUse, Session } from './session.ts';

/** For commands about sagas. Nothing is worked on: activities need not even be implemented. */
export const sagasUnworked: ConsumerUse = { uses: ({ kind }) => kind === 'saga' };

export interface NamedInstance {
  readonly saga: string;
  readonly id: string;
  /** What was typed behind it. */
  readonly rest: readonly (string | undefined)[];
}

/** The names of the sagas of the config. @throws {CliError} if it has none. */
export async function sagaNames(session: Session): Promise<readonly string[]> {
  const names = sagasOf(await session.definitions()).map(({ name }) => name);
  if (names.length > 0) return names;
  throw usageError('The config has no sagas', 'Name them in it: defineConfig({ sagas: [fulfilment], … })');
}

/** @throws {CliError} */
export async function requireSaga(session: Session, name: string): Promise<void> {
  const names = await sagaNames(session);
  if (names.includes(name)) return;
  throw usageError(
    `The config has no saga ${name}; known: ${names.join(', ')}`,
    'Name one of these, or another --config.',
  );
}

/** Names of sagas have no dash, so that a stream is known by having one. @param command that was typed. @throws {CliError} */
export async function instanceTyped(
  session: Session,
  command: string,
  [first = '', ...others]: readonly (string | undefined)[],
): Promise<NamedInstance> {
  if (first.includes('-')) {
    const { aggregate: saga, aggregateId: id } = splitStreamName(checkStreamName(first));
    await requireSaga(session, saga);
    const tooMany = others.at(-1);
    if (tooMany !== undefined)
      throw usageError(`${first} names an instance: ${tooMany} is too much`, `Leave it out, or write: ${saga} ${id}`);
    return { saga, id, rest: others };
  }
  await requireSaga(session, first);
  const [id, ...rest] = others;
  if (id === undefined)
    throw usageError(`No instance of ${first} was named`, `Write: eventsrc saga ${command} ${first} <id>`);
  return { saga: first, id, rest };
}

/** @throws {EngineError} `name_invalid` */
export function handleOf(engine: Engine, { saga, id }: NamedInstance): SagaHandle {
  return engine.sagas.instance(saga, id);
}

/** In ms since the epoch, by the clock that the config has. */
export async function nowOf(session: Session): Promise<number> {
  return readClock((await session.config()).clock ?? systemClock);
}
