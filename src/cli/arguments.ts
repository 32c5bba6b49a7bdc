/** What users type, as what the engine takes. */
import { addAbortSignal } from 'node:stream';
import { InvalidArgumentError } from 'commander';
import type { ExpectedVersion } from '../store/port.ts';
import { parseExactly } from './exact-json.ts';
import { CliError, usageError } from './failure.ts';

/** Of values that may be given several times. */
export function repeated(value: string, earlier: readonly string[] = []): readonly string[] {
  return [...earlier, value];
}

export function count(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isSafeInteger(value) || value < 0)
    throw new InvalidArgumentError('Expected an integer of at least 0.');
  return value;
}

/** Of an argument, which commander does not parse. @throws {CliError} */
export function countArgument(name: string, text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw usageError(`The ${name} is no number: ${JSON.stringify(text)}`, 'Write an integer of at least 0.');
}

const unitMs: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const timePattern = /^(\d{4}-\d{2}-\d{2})(T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?(Z|[+-]\d{2}:\d{2})?)?$/;
const dayMs = 86_400_000;

/**
 * A date, a date with a time, or how long ago: `2026-01-31`, `2026-01-31T12:00:00Z`, `90m`. In UTC where no zone is said.
 * In ms since the epoch; of a date, its beginning.
 */
export function time(text: string): number {
  const [, amount, unit] = /^(\d+)([smhd])$/.exec(text) ?? [];
  if (amount !== undefined) return Date.now() - Number(amount) * (unitMs[unit ?? ''] ?? 0);
  const [, date, clock, , , zone] = timePattern.exec(text) ?? [];
  // Of a day that a month does not have, `Date` makes one of the next.
  const isDate = date !== undefined && new Date(`${date}T00:00Z`).toJSON()?.startsWith(date) === true;
  const value = isDate ? Date.parse(clock !== undefined && zone === undefined ? `${text}Z` : text) : Number.NaN;
  if (Number.isNaN(value))
    throw new InvalidArgumentError('Expected 2026-01-31, 2026-01-31T12:00:00Z or an age such as 90s, 15m, 2h, 7d.');
  return value;
}

/** As `time`; of a date, its end. */
export function timeUntil(text: string): number {
  return /^\d{4}-\d{2}-\d{2}$/.test(text) ? time(text) + dayMs - 1 : time(text);
}

/** How long, in ms: `500ms`, `5s`, `2m`. */
export function duration(text: string): number {
  const [, amount, unit = ''] = /^(\d+(?:\.\d+)?)(ms|[smhd])$/.exec(text) ?? [];
  if (amount === undefined) throw new InvalidArgumentError('Expected how long: 500ms, 5s, 2m, 1h.');
  return Number(amount) * (unitMs[unit] ?? 1);
}

export function jsonObject(text: string): object {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  } catch {
    // As for any other value.
  }
  throw new InvalidArgumentError('Expected a JSON object.');
}

const states: readonly string[] = ['any', 'no_stream', 'stream_exists', 'deleted'];

export function expectedVersion(text: string): ExpectedVersion {
  if (states.includes(text)) return text as ExpectedVersion;
  if (/^\d+$/.test(text)) return Number(text);
  throw new InvalidArgumentError(`Expected a version or one of ${states.join(', ')}.`);
}

/** A JSON argument; `-` is all of standard input. @throws {CliError} */
export async function jsonArgument(
  name: string,
  given: string | undefined,
  absent: unknown,
  signal: AbortSignal,
): Promise<unknown> {
  if (given === undefined) return absent;
  const text = given === '-' ? await readInput(signal) : given;
  try {
    return parseExactly(text);
  } catch (error) {
    throw usageError(`The ${name} is no JSON: ${(error as Error).message}`, `Quote it for the shell: '{"amount": 5}'`);
  }
}

async function readInput(signal: AbortSignal): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of addAbortSignal(signal, process.stdin)) chunks.push(chunk as Buffer);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks));
  } catch (cause) {
    throw new CliError('Standard input is not UTF-8', 'Convert it to UTF-8.', { cause });
  }
}
