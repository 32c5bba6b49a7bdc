export { systemClock } from './ground/clock.ts';
export type { Clock } from './ground/clock.ts';
export { EngineError, hasCode } from './ground/errors.ts';
export type { ErrorCode, ErrorDetails, InvalidIssue, WriteOutcome } from './ground/errors.ts';
export { defaultLimits } from './ground/limits.ts';
export type { LimitWarning, Limits } from './ground/limits.ts';
export { bodyDigest, eventId } from './event/digests.ts';
export type { Body, Identity } from './event/digests.ts';
export { deletedType, eventKind } from './event/event.ts';
export type { Draft, EventKind, EventMetadata, Recorded } from './event/event.ts';
export type { EventSchemas, NewEvent, RecordedEvent, Tombstone } from './event/codec.ts';
export type { Json } from './event/json.ts';
export { splitStreamName, streamName } from './event/names.ts';
export { matches } from './event/query.ts';
export type { EventQuery, EventQueryItem } from './event/query.ts';
export type { StandardSchemaV1 } from './event/standard-schema.ts';
export type {
  AppendCondition,
  AppendRequest,
  AppendResult,
  Backend,
  BackendOptions,
  Capabilities,
  EventStore,
  ExpectedVersion,
  Position,
  ReadQuery,
  Receipt,
  ReceiptDraft,
  Refusal,
  StoreHead,
  StreamCheck,
  StreamHead,
  StreamsQuery,
  StreamWrite,
} from './store/port.ts';
export { openLog } from './store/log.ts';
export type { AppendedEvent, AppendOptions, EventLog, LogAppendResult, LogOptions, Write } from './store/log.ts';
export { memory } from './store/memory.ts';
