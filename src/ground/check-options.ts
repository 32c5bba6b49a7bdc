import { EngineError } from './errors.ts';

/**
 * Refuses a key that nobody looks at: whoever wrote it meant something by it.
 * @throws {EngineError} `option_invalid`
 */
export function checkKeys(what: string, given: object, known: readonly string[]): void {
  if (typeof given !== 'object' || given === null || Array.isArray(given))
    throw new EngineError('option_invalid', { option: what, value: given, expected: 'an object' });
  for (const [key, value] of Object.entries(given)) {
    if (known.includes(key)) continue;
    throw new EngineError('option_invalid', {
      option: `${key} of ${what}`,
      value,
      expected: `one of ${known.join(', ')}`,
    });
  }
}

/** @throws {EngineError} `option_invalid` */
export function checkSignal(signal: AbortSignal | undefined): void {
  if (signal === undefined || signal instanceof AbortSignal) return;
  throw new EngineError('option_invalid', { option: 'signal', value: signal, expected: 'an AbortSignal' });
}
