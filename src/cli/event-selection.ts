/** Which events: the options that `read`, `tail`, `export` and `history` share. */
import type { Command } from 'commander';
import type { ReadQuery } from '../store/port.ts';
import { count, repeated, time, timeUntil } from './arguments.ts';

export interface MatchOptions {
  readonly stream?: string;
  readonly type?: readonly string[];
  readonly tag?: readonly string[];
}

export interface SelectionOptions extends MatchOptions {
  readonly after?: number;
  readonly upto?: number;
  readonly since?: number;
  readonly until?: number;
}

export function addSelection(command: Command): Command {
  return addBounds(addMatch(command));
}

export function addMatch(command: Command): Command {
  return command
    .option('--stream <name>', 'of one stream')
    .option('--type <type>', 'of this type; of any of them, if given several times', repeated)
    .option('--tag <tag>', 'with this tag; with all of them, if given several times', repeated);
}

export function addBounds(command: Command): Command {
  return command
    .option('--after <position>', 'behind this position', count)
    .option('--upto <position>', 'up to and with this position', count)
    .option(
      '--since <time>',
      'recorded then or later: a date or a date and time (UTC), or an age such as 90s, 15m, 2h, 7d',
      time,
    )
    .option('--until <time>', 'recorded then or earlier; of a date, until its end', timeUntil);
}

export function toQuery({ stream, type, tag, after, upto, since, until }: SelectionOptions): ReadQuery {
  const hasMatch = type !== undefined || tag !== undefined;
  return {
    stream,
    after,
    until: upto,
    recordedFrom: since,
    recordedUntil: until,
    ...(hasMatch && { match: [{ types: type, tags: tag }] }),
  };
}
