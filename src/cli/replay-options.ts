/** Which part of history is replayed, and at which pace: as typed, and as the engine takes it. */
import { InvalidArgumentError, Option } from 'commander';
import type { Command } from 'commander';
import type { FromSnapshot, InstanceReplayOptions, ReplayMode, ReplaySpeed } from '../replay/options.ts';
import type { Moment } from '../store/moment.ts';
import { duration, repeated } from './arguments.ts';
import { usageError } from './failure.ts';
import { moment, momentNotation } from './moment-argument.ts';

const modes = ['full', 'from_snapshot', 'selective', 'time_travel'] as const;

export interface ReplayTyped {
  readonly mode?: (typeof modes)[number];
  readonly at?: Moment;
  readonly type?: readonly string[];
  readonly tag?: readonly string[];
  readonly stream?: readonly string[];
  readonly speed?: ReplaySpeed;
  readonly maxGap?: number;
}

export function addReplayOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--mode <mode>', 'which part of history (default: as the other options say, else full)').choices(
        modes,
      ),
    )
    .option('--at <moment>', `up to then: ${momentNotation}`, moment)
    .option('--type <type>', 'only events of this type; of any of them, if given several times', repeated)
    .option('--tag <tag>', 'only events with this tag; with all of them, if given several times', repeated)
    .option('--stream <name>', 'only events of this stream; of any of them, if given several times', repeated)
    .option('--speed <factor>', 'the recorded pace times 0.1 to 100, or unthrottled (default)', speed)
    .option('--max-gap <time>', 'wait for no gap as if it were longer: 500ms, 5s, 2m', duration);
}

function speed(text: string): ReplaySpeed {
  if (text === 'unthrottled') return text;
  const factor = Number(/^(\d+(?:\.\d+)?)x?$/.exec(text)?.[1]);
  if (Number.isNaN(factor)) throw new InvalidArgumentError('Expected a factor such as 0.5, 10 or 100, or unthrottled.');
  return factor;
}

/** @throws {CliError} where options contradict each other. */
export function partOf({ mode, at, type, tag, stream }: ReplayTyped): ReplayMode | FromSnapshot {
  const isSelective = type !== undefined || tag !== undefined || stream !== undefined;
  const select = { types: type, tags: tag, streams: stream } as Extract<ReplayMode, { mode: 'selective' }>['select'];
  const until = at === undefined ? {} : { at };
  if (isSelective && mode !== undefined && mode !== 'selective')
    throw usageError(`--mode ${mode} selects no events`, 'Leave out --type, --tag and --stream, or --mode.');
  switch (mode ?? (isSelective ? 'selective' : at === undefined ? 'full' : 'time_travel')) {
    case 'full':
      if (at !== undefined)
        throw usageError('--mode full goes up to now', 'Leave out --at, or say --mode time_travel.');
      return { mode: 'full' };
    case 'from_snapshot':
      return { mode: 'from_snapshot', ...until };
    case 'selective':
      if (!isSelective) throw usageError('--mode selective selects nothing', 'Add --type, --tag or --stream.');
      return { mode: 'selective', select, ...until };
    case 'time_travel':
      if (at === undefined)
        throw usageError('--mode time_travel has no moment', 'Add --at, such as --at 2026-01-31T12:00');
      return { mode: 'time_travel', at };
  }
}

export function paceOf({ speed: factor, maxGap }: ReplayTyped): Pick<InstanceReplayOptions, 'speed' | 'maxGapMs'> {
  return { ...(factor !== undefined && { speed: factor }), ...(maxGap !== undefined && { maxGapMs: maxGap }) };
}
