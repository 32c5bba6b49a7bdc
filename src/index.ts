export { systemClock, systemTimer } from './ground/clock.ts';
export type { Clock, Timer } from './ground/clock.ts';
export { EngineError, hasCode } from './ground/errors.ts';
export type { ErrorCode, ErrorDetails, InvalidIssue, StaleDetails, WriteOutcome } from './ground/errors.ts';
export { defaultLimits } from './ground/limits.ts';
export type { LimitWarning, Limits } from './ground/limits.ts';
export { bodyDigest, eventId } from './event/digests.ts';
export type { Body, Identity } from './event/digests.ts';
export type { FieldChange } from './event/differences.ts';
export type { RecordedAs } from './event/decoded-event.ts';
export { versions } from './event/event-versions.ts';
export type { CastContext, EventCasts, EventVersions } from './event/event-versions.ts';
export { pinned } from './projection/pinned.ts';
export type { PinnedSource } from './projection/pinned.ts';
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
export type { Compatibility } from './schema/compatibility.ts';
export type { CheckLogOptions, CheckLogProgress } from './schema/check-log.ts';
export type { LogCheck, LogFailure } from './schema/log-checker.ts';
export type { RegisteredSchema } from './schema/registry.ts';
export type { CompatibilityOptions, SchemaVerdict } from './schema/verdict.ts';
export type { JsonSchema, SchemaShape } from './event/json-schema.ts';
export { copyLog } from './store/copy.ts';
export type { CopyOptions, CopyProgress, CopyResult } from './store/copy.ts';
export { openLog } from './store/log.ts';
export type { Moment } from './store/moment.ts';
export type { SubscribeQuery } from './store/subscription.ts';
export type {
  Checkpoint,
  CheckpointMove,
  Collection,
  Comparison,
  Condition,
  Document,
  DocumentDelete,
  DocumentPage,
  DocumentPath,
  DocumentPut,
  DocumentQuery,
  DocumentValue,
  Order,
  Scalar,
  SqlStatement,
  StateCapabilities,
  StateCommit,
  StateCommitResult,
  StateStore,
} from './store/state-port.ts';
export type {
  AppendedEvent,
  AppendOptions,
  CommitResult,
  EventBatch,
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
export type { LoadedState } from './command/boundary.ts';
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
export { defineProjection } from './projection/projection.ts';
export type { AnyProjection, InferDocument, InferProjected, Projection } from './projection/projection.ts';
export { defineReactor } from './projection/reactor.ts';
export type { AnyReactor, ReactionContext } from './projection/reactor.ts';
export { defineTables } from './projection/tables.ts';
export type { AnyTables } from './projection/tables.ts';
export type { ConsumerMode, ConsumerOptions, FailurePolicy } from './projection/consumer.ts';
export { activity, FinalError } from './saga/activity.ts';
export type {
  Activity,
  ActivityContext,
  ActivityTypes,
  AnyActivity,
  AnyImplementation,
  Reconciled,
} from './saga/activity.ts';
export { child, command, complete, fail, sleep, waitFor } from './saga/effect.ts';
export type {
  ActivityEffect,
  ChildEffect,
  CommandEffect,
  CommandResult,
  Compensating,
  Compensation,
  CompleteEffect,
  Effect,
  FailEffect,
  SleepEffect,
  UndoContext,
  WaitEffect,
} from './saga/effect.ts';
export type { ActOptions, SagaHandle, SagaResult, WaitOptions } from './saga/handle.ts';
export type { SagaNotice } from './saga/notice.ts';
export type { EffectProgress, SagaStatus } from './saga/progress.ts';
export type { RetryOptions, RetryPolicy } from './saga/retry.ts';
export { defineSaga } from './saga/define-saga.ts';
export type { InferSagaInput, Saga, SagaTypes } from './saga/define-saga.ts';
export type {
  AnySaga,
  AnySagaEvent,
  CorrelatedEvent,
  EffectEvent,
  InferSagaSignals,
  InferSagaState,
  Progressed,
  ReceivedEvent,
} from './saga/saga.ts';
export type { Instances, SagaState } from './saga/saga-state.ts';
export type { SagaCounts, SagaInfo, Sagas, SagasQuery } from './saga/sagas.ts';
export type { Failure as SagaFailure } from './saga/step.ts';
export { steps } from './saga/steps.ts';
export type { SagaSettings, Schedule, ScheduleTime } from './engine/saga-side.ts';
export type { Bound, Lag } from './projection/freshness.ts';
export type { ConsumerNotice, Failure } from './projection/notice.ts';
export type { Parked } from './projection/parking.ts';
export type { Run } from './projection/read-side.ts';
export type { Compared, Difference } from './projection/compare.ts';
export type { RebuildOptions, RebuildProgress, RebuildResult } from './projection/rebuild.ts';
export type { Skipped } from './projection/slot.ts';
export type { BuildingStatus, ConsumerStatus, SlotStatus } from './projection/status.ts';
export type { FindQuery, ReadOptions, SafeRead, View, ViewPage } from './projection/view.ts';
export type { FieldCondition, Operands, OrderBy, PathOf, ValueAt, Where } from './projection/where-types.ts';
export type {
  FromSnapshot,
  InstanceReplayOptions,
  PlayOptions,
  ReplayMode,
  ReplayOptions,
  ReplayProgress,
  ReplaySpeed,
  Selection,
} from './replay/options.ts';
export type {
  AddedEvent,
  AddedToStream,
  Cause,
  Diff,
  DiffOptions,
  DocumentsWhatIf,
  DocumentWhatIf,
  EventCounts,
  EventPick,
  HistoryOptions,
  HistoryStep,
  InstanceWhatIf,
  Parting,
  Past,
  ProjectionWhatIf,
  WhatIf,
  WhatIfOptions,
  WhyOptions,
} from './replay/past.ts';
export type { LeftOut, PastView, PastViewOptions } from './replay/past-view.ts';
export type { Replay, StartReplay } from './replay/replay.ts';
export type {
  AggregateSubject,
  DocumentChange,
  DocumentFrame,
  DocumentsFrame,
  DocumentSubject,
  EventFrame,
  EventRange,
  EventsSubject,
  FoldFrame,
  FoldSubject,
  InstanceSubject,
  ProjectionSubject,
  Replayed,
  ReplayedDocument,
  ReplayedDocuments,
  ReplayedFold,
  ReplayedState,
  ReplayedStates,
  StateFrame,
} from './replay/subject.ts';
export type { Consumers, OperateOptions } from './engine/consumers.ts';
export type { Distrust, SnapshotNotice } from './snapshot/notice.ts';
export type { SnapshotOptions, SnapshotPolicy, StreamFold } from './snapshot/snapshot.ts';
export type { SnapshotInfo } from './snapshot/snapshots.ts';
export type {
  EngineSnapshots,
  SnapshotFault,
  VerifyOptions,
  VerifyProgress,
  VerifyResult,
} from './engine/snapshots.ts';
export { defineConfig } from './engine/config.ts';
export type { Config } from './engine/config.ts';
export { openEngine } from './engine/engine.ts';
export type { Engine, EngineOptions, LoadOptions } from './engine/engine.ts';
export type { EngineHooks, ExecuteCall, Hook, Settled } from './engine/hooks.ts';
