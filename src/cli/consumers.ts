/** Projections, tables, reactors and sagas of the config: by name, and how one of them stands. */
import { userInfo } from 'node:os';
import type { Command } from 'commander';
import type { Engine } from '../engine/engine.ts';
import { warningOf } from '../projection/notice.ts';
import type { Failure as EventFailure } from '../projection/notice.ts';
import type { AnyProjection } from '../projection/projection.ts';
import type { ConsumerStatus } from '../projection/status.ts';
import { consumersOf } from './definitions.ts';
import type { NamedConsumer } from './definitions.ts';
import { CliError, usageError } from './failure.ts';
import type { ConsumerUse, Session } from './session.ts';
import type { Terminal } from './terminal.ts';

/** @throws {CliError} */
export async function requireConsumer(session: Session, name: string): Promise<NamedConsumer> {
  return named('projection, tables, reactor or saga', consumersOf(await session.definitions()), name);
}

/** @throws {CliError} */
export async function requireProjection(session: Session, name: string): Promise<AnyProjection> {
  const config = await session.definitions();
  const other = consumersOf(config).find((consumer) => consumer.name === name && consumer.kind !== 'projection');
  if (other !== undefined)
    throw usageError(
      `${name} is no projection but ${other.kind === 'tables' ? 'tables' : `a ${other.kind}`}`,
      other.kind === 'tables'
        ? 'Its tables are the database’s: query them there, and rebuild them by raising its version.'
        : 'Name a projection: eventsrc projections lists them.',
    );
  return named('projection', config.projections ?? [], name);
}

function named<C extends NamedConsumer>(kind: string, consumers: readonly C[], name: string): C {
  const found = consumers.find((consumer) => consumer.name === name);
  if (found !== undefined) return found;
  const known = consumers.map((consumer) => consumer.name).join(', ') || 'none';
  throw usageError(`The config has no ${kind} ${name}; known: ${known}`, 'Name one of these, or another --config.');
}

/** One that is kept in the store, so that something can be done about it from here. @throws {CliError} */
export function requireKept({ name, mode }: NamedConsumer): void {
  if (mode === 'live')
    throw new CliError(
      `${name} is live: it is in the memory of each process that runs it`,
      'Correct it and start that process again: it is built anew.',
    );
}

/** For an engine with one consumer alone. */
export function onlyOne({ name }: NamedConsumer): ConsumerUse {
  return { uses: (consumer) => consumer.name === name };
}

/** And one that is worked on, if it can be. Who waits for it must hear of what keeps it from working. */
export function workedOn(consumer: NamedConsumer, terminal: Terminal, canWork = true): ConsumerUse {
  return {
    ...onlyOne(consumer),
    runs: ({ name }) => canWork && name === consumer.name,
    onNotice: (notice) => {
      const warning = warningOf(notice);
      const isTold = notice.kind === 'restarted' || notice.kind === 'schemas_changed';
      if (isTold && warning !== undefined) terminal.warn(warning);
    },
  };
}

/** How the one stands that the engine was opened with. */
export async function statusOfOnly(engine: Engine): Promise<ConsumerStatus> {
  const [status] = await engine.consumers.status();
  if (status === undefined) throw new Error('the engine was opened with no consumer');
  return status;
}

/** As `statusOfOnly`, also of a saga, beside which there may be others. */
export async function statusOfOne(engine: Engine, { name, version }: NamedConsumer): Promise<ConsumerStatus> {
  const status = (await engine.consumers.status()).find((one) => one.name === name);
  if (status === undefined) throw new Error(`the engine was opened without ${name}`);
  return { ...status, version };
}

/** Without working on it: what nobody has ever run must not begin by being looked at. */
export async function lookAt(session: Session, consumer: NamedConsumer): Promise<ConsumerStatus> {
  await using engine = await session.openEngine('existing', onlyOne(consumer));
  return await statusOfOne(engine, consumer);
}

/** @throws {CliError} if nobody has ever run it. */
export function requireRun({ state, kind, name, version }: ConsumerStatus): void {
  if (state !== 'never_run') return;
  const how = 'Open an engine that runs it';
  throw new CliError(
    `Nobody has ever run ${name} (version ${version}) on this store`,
    kind === 'projection' ? `${how}; or build it now: eventsrc rebuild ${name}` : `${how}.`,
  );
}

/** Where, and why there: of a fault or of a parked event. */
export function faultText({ position, type, stream, version, reason, attempts }: EventFailure): string {
  const tries = attempts === 1 ? 'one attempt' : `${attempts} attempts`;
  return `position ${position} (${type}, version ${version} of ${stream}): ${reason}; ${tries}`;
}

export function faultsOf({ slots }: ConsumerStatus): readonly EventFailure[] {
  return slots.flatMap(({ fault }) => (fault === undefined ? [] : [fault]));
}

export function addActor(command: Command): Command {
  return command.option('--actor <name>', 'who does it, to be kept with it (default: the user of this machine)');
}

export function actorOf(given: string | undefined): string {
  if (given !== undefined) return given;
  try {
    return userInfo().username;
  } catch {
    // Containers may run under a number that has no name.
    return `user ${process.getuid?.() ?? 'unknown'}`;
  }
}
