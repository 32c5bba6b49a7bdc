/** Moments as users type them, in every command alike: `v12` a version, `@345` a position, else a time. */
import { InvalidArgumentError } from 'commander';
import type { Moment } from '../store/moment.ts';
import { timeUntil } from './arguments.ts';
import { usageError } from './failure.ts';
import { numberText, shortTimeText } from './moment-text.ts';

/** For the help of options that take one. */
export const momentNotation =
  'v12 a version, @345 a position, or a time: a date (its end), a date and time, an age such as 2h';

const placePattern = /^([v@])(\d{1,15})$/;

export function moment(text: string): Moment {
  const [, sign, number] = placePattern.exec(text) ?? [];
  if (number !== undefined) return sign === 'v' ? { version: Number(number) } : { position: Number(number) };
  try {
    return { time: timeUntil(text) };
  } catch {
    const hint = /^\d{1,15}$/.test(text) ? ` (v${text}? @${text}?)` : '';
    throw new InvalidArgumentError(
      `Expected a version such as v12, a position such as @345, or a time: 2026-01-31, 2026-01-31T12:00, 2h.${hint}`,
    );
  }
}

/** As a person would say it. */
export function momentText(at: Moment): string {
  if ('version' in at) return `version ${numberText(at.version)}`;
  if ('position' in at) return `position ${numberText(at.position)}`;
  return shortTimeText(Number(at.time));
}

/** As it is typed. */
export function typedMoment(at: Moment): string {
  if ('version' in at) return `v${at.version}`;
  if ('position' in at) return `@${at.position}`;
  return new Date(Number(at.time)).toISOString();
}

/** What is folded from many streams has no versions. @throws {CliError} */
export function requireNoVersion(moments: Readonly<Record<string, Moment | undefined>>): void {
  for (const [option, at] of Object.entries(moments))
    if (at !== undefined && 'version' in at)
      throw usageError(
        `${option} ${typedMoment(at)}: only one stream has versions`,
        'Name a position such as @345, or a time.',
      );
}
