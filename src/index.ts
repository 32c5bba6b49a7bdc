export { systemClock } from './ground/clock.ts';
export type { Clock } from './ground/clock.ts';
export { EngineError, hasCode } from './ground/errors.ts';
export type { ErrorCode, ErrorDetails, InvalidIssue, WriteOutcome } from './ground/errors.ts';
export { defaultLimits } from './ground/limits.ts';
export type { LimitWarning, Limits } from './ground/limits.ts';
export { bodyDigest, eventId } from './event/digests.ts';
export type { Body, Identity } from './event/digests.ts';
export { deletedType, eventKind } from './event/event.ts';
export type { Draft, EventKind, EventMetadata, PortableEvent, Recorded } from './event/event.ts';
export type { EventSchemas, NewEvent, PastEvent, RecordedEvent, StreamEvent, Tombstone } from './event/codec.ts';
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
  ImportResult,
  Inline,
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
export { copyLog } from './store/copy.ts';
export type { CopyOptions, CopyProgress, CopyResult } from './store/copy.ts';
export { openLog } from './store/log.ts';
export type {
  AppendedEvent,
  AppendOptions,
  CommitResult,
  EventLog,
  LogAppendResult,
  LogOptions,
  OpenLog,
  Write,
} from './store/log.ts';
export { memory } from './store/memory.ts';
export { defineAggregate } from './command/aggregate.ts';
export type {
  Aggregate,
  AggregateTypes,
  AnyAggregate,
  InferCommand,
  InferEvent,
  InferState,
} from './command/aggregate.ts';
export { reject } from './command/command.ts';
export type {
  Accepted,
  AggregateCommand,
  AggregateDecideContext,
  BatchReceipt,
  Command,
  CommandReceipt,
  DecideContext,
  DecisionCommand,
  NotAccepted,
  Rejection,
} from './command/command.ts';
export type { CommandMetadata } from './command/command-metadata.ts';
export { defineDecision } from './command/decision.ts';
export type { AnyDecision, Decision, DecisionQuery, PlacedEvent } from './command/decision.ts';
export type { ExecuteOptions } from './command/executor.ts';
export { defineConfig } from './engine/config.ts';
export type { Config } from './engine/config.ts';
export { openEngine } from './engine/engine.ts';
export type { Engine, EngineOptions, LoadedState, LoadOptions, Moment } from './engine/engine.ts';
export type { EngineHooks, ExecuteCall, Hook, Settled } from './engine/hooks.ts';
