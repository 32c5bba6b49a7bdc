import type { EventEncoder, UntypedEvent } from '../event/codec.ts';
import type { Draft } from '../event/event.ts';
import { checkStreamName, splitStreamName } from '../event/names.ts';
import type { EventLog } from '../store/log.ts';
import type { Refusal } from '../store/port.ts';
import type { LoadedConfig } from './config-file.ts';
import { sagasOf } from './definitions.ts';
import { CliError } from './failure.ts';

/** Encodes events by the schemas of the aggregates that declare them; of other aggregates, any type and any JSON; of sagas, none. */
export class DeclaredEvents {
  readonly #encoders: ReadonlyMap<string, EventEncoder>;
  readonly #undeclared: EventEncoder;
  readonly #sagas: ReadonlySet<string>;

  constructor(log: EventLog, config: LoadedConfig) {
    const { aggregates = [] } = config;
    this.#sagas = new Set(sagasOf(config).map(({ name }) => name));
    this.#encoders = new Map(aggregates.map(({ name, events }) => [name, log.encoderOf(events)]));
    this.#undeclared = log.encoderOf();
  }

  /** @throws {EngineError} `name_invalid`, `event_type_unknown`, `event_invalid`, `data_unfaithful`, `limit_exceeded`; {CliError} for the stream of a saga. */
  async encode(stream: string, event: UntypedEvent): Promise<Draft> {
    const { aggregate } = splitStreamName(checkStreamName(stream));
    if (this.#sagas.has(aggregate)) throw ofSaga(stream);
    return (this.#encoders.get(aggregate) ?? this.#undeclared).encode(event);
  }
}

/** What a saga folds is its own steps: with anything else among them it would stand still. */
export function ofSaga(stream: string): CliError {
  return new CliError(
    `${stream} is an instance of a saga: only its own steps are appended to it`,
    `Send it a signal: eventsrc saga signal ${stream} <type> [data]`,
  );
}

/** What is said of an append that was refused. */
export function refused(refusal: Refusal): CliError {
  switch (refusal.kind) {
    case 'version_conflict': {
      const { stream, actual, expected } = refusal;
      const found = `${stream} is at version ${actual}, expected was ${expected}: nothing was written`;
      return new CliError(found, 'Look at what has happened (eventsrc history), then decide again.');
    }
    case 'stream_deleted': {
      const { stream, actual } = refusal;
      const found = `${stream} was deleted at version ${actual}: nothing was written`;
      return new CliError(found, 'Begin it again with --expected deleted, if that is what you want.');
    }
    case 'condition_conflict':
    case 'duplicate':
      return new CliError(`Refused (${refusal.kind}): nothing was written`, 'Look at what has happened, and repeat.');
    default:
      return refusal satisfies never;
  }
}
