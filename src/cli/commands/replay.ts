import { action, defineCommand } from '../define.ts';
import { EventSteps } from '../event-steps.ts';
import { usageError } from '../failure.ts';
import { requireNoVersion } from '../moment-argument.ts';
import { eventsText, numberText } from '../moment-text.ts';
import { startPlayback } from '../playback.ts';
import type { NoFold, Playback } from '../playback.ts';
import { withProgress } from '../progress.ts';
import { addReplayOptions, paceOf, partOf } from '../replay-options.ts';
import type { ReplayTyped } from '../replay-options.ts';
import { canRead, ReplayKeys, ReplayScreen } from '../replay-screen.ts';
import { noConsumers } from '../session.ts';
import type { Session } from '../session.ts';
import { addView, knownInstance, requireStream, subjectOf } from '../time-subject.ts';
import type { Instance, OneDocument, ViewOptions, WholeView } from '../time-subject.ts';
import type { ReplayProgress } from '../../replay/options.ts';

interface Options extends ReplayTyped, ViewOptions {
  readonly quiet?: boolean;
}

const definition = addReplayOptions(
  addView(
    defineCommand({
      usage: 'replay [stream]',
      summary: 'watch what happened once more, at any pace',
      does: 'Go through what happened once more, event by event, with what each changed: of one instance, of a view or one document of it, or, where nothing is named, of everything. On a terminal: space pauses and goes on, → or n is one step, + and - change the speed, q ends it. Nothing is written.',
      examples: [
        ['replay account-1', 'all of it, at once'],
        ['replay account-1 --speed 10 --max-gap 5s', 'ten times as fast as it was, no gap as if longer than 5 s'],
        ['replay --view balances --key 7', 'how a document became what it is'],
        ['replay --type OrderPlaced --at 2026-01-31', 'some of all events, up to then'],
        ['replay --view balances --quiet', 'only fold, and say how fast that went'],
      ],
    }),
    'of this view, instead of an instance',
  ),
).option('--quiet', 'without frames: only what it comes to');

export const replay = action<[stream?: string], Options>(definition, async (session, options, stream) => {
  const { quiet = false, speed, maxGap } = options;
  if (quiet && (maxGap !== undefined || (speed !== undefined && speed !== 'unthrottled')))
    throw usageError('--quiet has no frames to wait for', 'Leave out --quiet, or --speed and --max-gap.');
  const named = await namedBy(session, options, stream);
  if (named.kind !== 'instance') requireNoVersion({ '--at': options.at });
  const part = partOf(options);
  await using engine = await session.openAnyEngine('existing', noConsumers);
  if (stream !== undefined) await requireStream(engine.log, stream);
  let watch: (progress: ReplayProgress) => void = () => {};
  const play = { ...part, ...paceOf(options), signal: session.signal, onProgress: (now: ReplayProgress) => watch(now) };
  const playback = startPlayback(engine, named, play);
  if (!quiet)
    return await showFrames(session, playback, {
      isOneStream: stream !== undefined,
      isFolded: named.kind !== 'events',
    });
  return await withProgress(session.terminal, async (show) => {
    watch = ({ fraction, events }) =>
      show({ title: 'folding', what: 'events', done: fraction, total: 1, count: events });
    return fold(session, playback);
  });
});

/** Of what no aggregate of the config is about there are only events. */
async function namedBy(
  session: Session,
  options: ViewOptions,
  stream: string | undefined,
): Promise<Instance | OneDocument | WholeView | NoFold> {
  if (options.view !== undefined || options.key !== undefined) return subjectOf(session, stream, options);
  if (stream === undefined) return { kind: 'events', name: 'everything', stream };
  return (await knownInstance(session, stream)) ?? { kind: 'events', name: stream, stream };
}

async function showFrames(
  { terminal }: Session,
  { replay: played, changedBy, jsonOf }: Playback,
  { isOneStream, isFolded }: { readonly isOneStream: boolean; readonly isFolded: boolean },
): Promise<void> {
  const steps = new EventSteps(terminal, isOneStream, isFolded);
  const frames = played[Symbol.asyncIterator]();
  let isQuit = false;
  const quit = () => {
    isQuit = true;
    void frames.return?.();
  };
  using screen = terminal.isRich ? new ReplayScreen(terminal, played, canRead()) : undefined;
  using _ = terminal.isRich ? new ReplayKeys(played, quit, () => screen?.refresh()) : undefined;
  try {
    for (let next = await frames.next(); next.done !== true; next = await frames.next()) {
      const frame = next.value;
      const print = () =>
        terminal.isJson
          ? terminal.printJson(jsonOf(frame))
          : steps.print([{ event: frame.event, changed: changedBy(frame) }]);
      await (screen === undefined ? print() : screen.above(print));
    }
  } finally {
    screen?.[Symbol.dispose]();
    if (terminal.isRich) terminal.note(endText(played, isQuit));
  }
}

function endText({ progress }: Playback['replay'], isQuit: boolean): string {
  const { events, position, until = position } = progress;
  const seen = eventsText(events);
  if (isQuit) return `quit after ${seen}, at position ${numberText(position)} of ${numberText(until)}`;
  return `${seen}, up to position ${numberText(position)}`;
}

/** Folds, and says what it came to and how fast it was. */
async function fold({ terminal }: Session, { replay: played, facts, print }: Playback): Promise<void> {
  const begun = performance.now();
  const result = await played.run();
  const seconds = (performance.now() - begun) / 1_000;
  const { events, position } = result;
  const rate = Math.round(events / Math.max(seconds, 0.001));
  if (terminal.isJson) {
    await terminal.printJson({ events, position, seconds, rate, ...facts(result) });
    return;
  }
  await print(terminal, result);
  await terminal.printDone(
    `Folded ${eventsText(events)} up to position ${numberText(position)} in ${seconds.toFixed(2)} s: ${numberText(rate)} events/s`,
    {},
  );
}
