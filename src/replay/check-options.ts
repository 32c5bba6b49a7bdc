import { checkKeys, checkSignal, optionInvalid } from '../ground/check-options.ts';
import { checkMoment } from '../store/moment.ts';
import type { Moment } from '../store/moment.ts';
import type { About } from './about.ts';
import type { InstanceReplayOptions, PlayOptions, ReplayProgress, Selection } from './options.ts';

/** What may be given, whatever the mode. */
const playKeys = ['mode', 'speed', 'maxGapMs', 'timeOf', 'timer', 'signal', 'onProgress'] satisfies (
  | keyof PlayOptions
  | 'mode'
)[];
const keysOfMode = {
  full: playKeys,
  from_snapshot: [...playKeys, 'at'],
  selective: [...playKeys, 'select', 'at'],
  time_travel: [...playKeys, 'at'],
} satisfies Readonly<Record<NonNullable<InstanceReplayOptions['mode']>, readonly string[]>>;

/** What of the options says which part of history is meant. */
export interface Part {
  readonly isFromSnapshot: boolean;
  readonly select: Selection | undefined;
  readonly at: Moment | undefined;
}

/** @throws {EngineError} `option_invalid` */
export function checkReplayOptions(about: About, options: InstanceReplayOptions): Part {
  const mode: keyof typeof keysOfMode = options?.mode ?? 'full';
  if (!Object.hasOwn(keysOfMode, mode))
    throw optionInvalid('mode', mode, `one of ${Object.keys(keysOfMode).join(', ')}`);
  checkKeys(`a replay in mode ${mode}`, options, keysOfMode[mode]);
  const { at, select } = options as { readonly at?: Moment; readonly select?: Selection };
  if (mode === 'from_snapshot' && about.kind !== 'instance')
    throw optionInvalid('mode', mode, 'another one: there are snapshots of one instance { aggregate, id } only');
  if (mode === 'selective' && select === undefined) throw optionInvalid('select', select, 'what is selected');
  if (mode === 'time_travel' && at === undefined) throw optionInvalid('at', at, 'a moment');
  if (at !== undefined) checkMomentOf(about, at, 'at');
  const { signal, onProgress, timer } = options;
  checkWatching({ signal, onProgress });
  if (timer !== undefined && !(typeof timer?.now === 'function' && typeof timer.wait === 'function'))
    throw optionInvalid('timer', timer, 'a clock that can be waited by: { now, wait }');
  return { isFromSnapshot: mode === 'from_snapshot', select, at };
}

/** @throws {EngineError} `option_invalid` */
export function checkWatching({
  signal,
  onProgress,
}: {
  readonly signal: AbortSignal | undefined;
  readonly onProgress: ((progress: ReplayProgress) => void) | undefined;
}): void {
  checkSignal(signal);
  if (onProgress !== undefined && typeof onProgress !== 'function')
    throw optionInvalid('onProgress', onProgress, 'a function');
}

/** A moment that there is of what it is about. @throws {EngineError} `option_invalid` */
export function checkMomentOf({ kind }: Pick<About, 'kind'>, at: Moment, option: string): void {
  checkMoment(at, option);
  if (!('version' in at) || kind === 'instance') return;
  throw optionInvalid(option, at, 'a { position } or a { time }: only one instance has versions');
}
