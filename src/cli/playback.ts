/** Replays of whatever was named: how a frame is shown, and what they come to. */
import type { Engine } from '../engine/engine.ts';
import { changesBetween } from '../event/differences.ts';
import type { InstanceReplayOptions, ReplayOptions } from '../replay/options.ts';
import type { Replay } from '../replay/replay.ts';
import type { EventFrame, Replayed } from '../replay/subject.ts';
import type { ChangeOf } from './event-steps.ts';
import { usageError } from './failure.ts';
import { numberText } from './moment-text.ts';
import { printState } from './state-text.ts';
import type { Terminal } from './terminal.ts';
import type { Instance, OneDocument, WholeView } from './time-subject.ts';
import { flatFields, layOut } from './value-text.ts';

/** A log, or one stream of it, of which nobody knows what its events mean. */
export interface NoFold {
  readonly kind: 'events';
  readonly name: string;
  readonly stream: string | undefined;
}

export interface Playback<Frame extends EventFrame = EventFrame, Result extends Replayed = Replayed> {
  readonly replay: Replay<Frame, Result>;
  /** What an event changed; undefined where nobody knows. */
  readonly changedBy: (frame: Frame) => readonly ChangeOf[] | undefined;
  /** For programs. */
  readonly jsonOf: (frame: Frame) => object;
  /** What it came to, besides how many events there were. */
  readonly facts: (result: Result) => object;
  /** The same for a person; nothing where there is no more to be said. */
  readonly print: (terminal: Terminal, result: Result) => Promise<void>;
}

export function startPlayback(
  engine: Engine,
  named: Instance | OneDocument | WholeView | NoFold,
  options: InstanceReplayOptions,
): Playback {
  // Each subject has frames and results of its own types, which go with its own ways of showing them, and with no others.
  return playbackOf(engine, named, options) as unknown as Playback;
}

function playbackOf(
  engine: Engine,
  named: Instance | OneDocument | WholeView | NoFold,
  options: InstanceReplayOptions,
): unknown {
  switch (named.kind) {
    case 'instance':
      return ofInstance(engine, named, options);
    case 'document':
      return ofDocument(engine, named, unlessFromSnapshot(options));
    case 'view':
      return ofView(engine, named, unlessFromSnapshot(options));
    case 'events':
      return ofEvents(engine, named, unlessFromSnapshot(options));
    default:
      return named satisfies never;
  }
}

/** @throws {CliError} */
function unlessFromSnapshot(options: InstanceReplayOptions): ReplayOptions {
  if (options.mode !== 'from_snapshot') return options;
  throw usageError(
    '--mode from_snapshot: there are snapshots of instances only',
    'Name a stream of an aggregate that the config knows, or another mode.',
  );
}

function ofInstance(engine: Engine, { subject, name }: Instance, options: InstanceReplayOptions) {
  const replay = engine.replay(subject, options);
  type Frame = FrameOf<typeof replay>;
  type Result = ResultOf<typeof replay>;
  const changesOf = ({ before, state }: Frame) => changesBetween(before, state);
  return {
    replay,
    changedBy: (frame: Frame) => [{ changes: changesOf(frame) }],
    jsonOf: (frame: Frame) => ({
      event: frame.event,
      changes: changesOf(frame),
      state: frame.state as unknown,
      deleted: frame.deleted,
    }),
    facts: ({ state, version, deleted }: Result) => ({ stream: name, version, deleted, state: state as unknown }),
    print: (terminal: Terminal, result: Result) => printState(terminal, name, result, {}),
  };
}

function ofDocument(engine: Engine, { subject }: OneDocument, options: ReplayOptions) {
  const replay = engine.replay(subject, options);
  type Frame = FrameOf<typeof replay>;
  type Result = ResultOf<typeof replay>;
  const changesOf = ({ before, document }: Frame) => changesBetween(before, document);
  return {
    replay,
    changedBy: (frame: Frame) => [{ changes: changesOf(frame) }],
    jsonOf: (frame: Frame) => ({ event: frame.event, changes: changesOf(frame), document: frame.document as unknown }),
    facts: ({ document }: Result) => ({ key: subject.key, document: document as unknown }),
    print: async (terminal: Terminal, { document }: Result) => {
      if (document === undefined) return terminal.print('no document');
      if (!terminal.isRich) return terminal.printFacts({ key: subject.key, ...flatFields('document', document) });
      return terminal.print(layOut(terminal, document).join('\n'));
    },
  };
}

function ofView(engine: Engine, { subject }: WholeView, options: ReplayOptions) {
  const replay = engine.replay(subject, options);
  type Frame = FrameOf<typeof replay>;
  type Result = ResultOf<typeof replay>;
  const changesOf = ({ documents }: Frame) =>
    documents.map(({ key, before, after }) => ({ key, changes: changesBetween(before, after) }));
  return {
    replay,
    changedBy: changesOf,
    jsonOf: (frame: Frame) => ({ event: frame.event, documents: changesOf(frame) }),
    facts: ({ documents }: Result) => ({ documents: documents.size }),
    print: (terminal: Terminal, { documents }: Result) =>
      terminal.print(documents.size === 1 ? 'one document' : `${numberText(documents.size)} documents`),
  };
}

function ofEvents(engine: Engine, { stream }: NoFold, options: ReplayOptions) {
  const replay = engine.replay(stream === undefined ? {} : { query: { stream } }, options);
  return {
    replay,
    changedBy: () => undefined,
    jsonOf: ({ event }: EventFrame) => ({ event }),
    facts: () => ({}),
    print: async () => {},
  };
}

type FrameOf<R> = R extends Replay<infer Frame, unknown> ? Frame : never;
type ResultOf<R> = R extends Replay<unknown, infer Result> ? Result : never;
