import type { RecordedFields } from '../event/codec.ts';
import { whyUnread } from '../event/casts.ts';
import { deletedType, sagaStepType } from '../event/event.ts';
import { requireKnown } from '../event/event-versions.ts';
import { splitStreamName } from '../event/names.ts';
import { checkConsumer } from '../projection/consumer.ts';
import type { HostedConsumer } from '../projection/hosted.ts';
import { checkDocumentKey } from '../store/state-commit.ts';
import { instanceIndexes } from './instance-document.ts';
import type { SagaRuntime } from './runtime.ts';
import { SagaHandling } from './saga-handling.ts';
import type { AnySaga, CorrelatedEvent } from './saga.ts';
import { endOf } from './step.ts';
import type { Step } from './step.ts';

/** A saga as a consumer of events: of those that it correlates, and of its own steps. Its documents are its instances. */
export function sagaConsumer(
  runtime: () => SagaRuntime,
  saga: AnySaga,
  startAt: HostedConsumer['startAt'],
  wait: (ms: number, signal: AbortSignal) => Promise<void>,
): HostedConsumer {
  const versions = [saga, ...saga.previous];
  const correlated = new Set(saga.correlates ? versions.flatMap((one) => Object.keys(one.events)) : []);
  const children = new Set(versions.flatMap((one) => one.children));
  const types = [...correlated, sagaStepType, deletedType].sort();
  return {
    kind: 'saga',
    name: saga.name,
    version: 1,
    mode: 'async',
    ...checkConsumer(saga.name, 1, { slots: saga.slots }),
    startAt,
    indexes: instanceIndexes,
    interest: {
      query: runtime().log.casts.widened([{ types }]),
      // An older deployment, which does not know the version that new instances run on, steps aside.
      types: [...types, `version ${saga.version}`],
      from: [],
      has: ({ type, stream }) => {
        const { aggregate } = splitStreamName(stream);
        if (type !== sagaStepType && type !== deletedType)
          return correlated.has(type) || (saga.correlates && runtime().log.casts.isRetired(type, aggregate));
        return aggregate === saga.name || (type === sagaStepType && children.has(aggregate));
      },
    },
    keysOf: (event) => {
      const known = runtime().log.casts.newest(event.type, event.aggregate);
      return [...new Set(keysOf(saga, event, known))];
    },
    handling: (place) => new SagaHandling({ ...place, runtime: runtime(), saga, wait }),
  };
}

/** @param known the newest version of its type. */
function keysOf(saga: AnySaga, event: RecordedFields, known: number | undefined): readonly string[] {
  const own = event.aggregate === saga.name ? [event.aggregateId] : [];
  if (event.type === deletedType) return own;
  if (event.type !== sagaStepType) {
    requireRead(event, known);
    return correlatedKeys(saga, event);
  }
  const parent = endOf(event.data as Step)?.parent;
  return parent?.saga === saga.name ? [...own, parent.id] : own;
}

/** @throws why it could not be cast; {EngineError} `event_newer` */
function requireRead(event: RecordedFields, known: number | undefined): void {
  const unread = whyUnread(event);
  if (unread !== undefined) throw unread;
  if (known !== undefined) requireKnown(new Map([[event.type, known]]), event);
}

/** @throws what `id` throws; a TypeError for what is no id. */
function correlatedKeys(saga: AnySaga, event: RecordedFields): readonly string[] {
  const id = saga.idOf(event as CorrelatedEvent);
  if (id === undefined || id === null) return [];
  if (typeof id !== 'string' || id === '')
    throw new TypeError('`id` must return a string that is not empty, or undefined');
  checkDocumentKey(id);
  saga.stream(id);
  return [id];
}
