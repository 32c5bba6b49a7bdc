import type { AnyAggregate } from '../command/aggregate.ts';
import type { EventEncoder, UntypedEvent } from '../event/codec.ts';
import type { Draft } from '../event/event.ts';
import { checkStreamName, splitStreamName } from '../event/names.ts';
import type { EventLog } from '../store/log.ts';
import type { Refusal } from '../store/port.ts';
import { CliError } from './failure.ts';

/** Encodes events by the schemas of the aggregates that declare them; of other aggregates, any type and any JSON. */
export class DeclaredEvents {
  readonly #encoders: ReadonlyMap<string, EventEncoder>;
  readonly #undeclared: EventEncoder;

  constructor(log: EventLog, aggregates: readonly AnyAggregate[] = []) {
    this.#encoders = new Map(aggregates.map(({ name, events }) => [name, log.encoderOf(events)]));
    this.#undeclared = log.encoderOf();
  }

  /** @throws {EngineError} `name_invalid`, `event_type_unknown`, `event_invalid`, `data_unfaithful`, `limit_exceeded` */
  async encode(stream: string, event: UntypedEvent): Promise<Draft> {
    const { aggregate } = splitStreamName(checkStreamName(stream));
    return (this.#encoders.get(aggregate) ?? this.#undeclared).encode(event);
  }
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
