import { EngineError } from './errors.ts';

/** What to throw for an option that cannot be meant. @param expected what it would have to be, in words. */
export function optionInvalid(option: string, value: unknown, expected: string): EngineError<'option_invalid'> {
  return new EngineError('option_invalid', { option, value, expected });
}

/**
 * Refuses a key that nobody looks at: whoever wrote it meant something by it.
 * @throws {EngineError} `option_invalid`
 */
export function checkKeys(what: string, given: object, known: readonly string[]): void {
  if (typeof given !== 'object' || given === null || Array.isArray(given))
    throw optionInvalid(what, given, 'an object');
  for (const [key, value] of Object.entries(given)) {
    if (known.includes(key)) continue;
    throw optionInvalid(`${key} of ${what}`, value, `one of ${known.join(', ')}`);
  }
}

/** @throws {EngineError} `option_invalid` */
export function checkSignal(signal: AbortSignal | undefined): void {
  if (signal === undefined || signal instanceof AbortSignal) return;
  throw optionInvalid('signal', signal, 'an AbortSignal');
}
