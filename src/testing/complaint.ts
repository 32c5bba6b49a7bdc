import { AssertionError, deepStrictEqual } from 'node:assert';

/** @throws {AssertionError} */
export function complain(message: string): never {
  throw new AssertionError({ message, operator: 'sagaScenario' });
}

/** @param what is compared, in a sentence. @throws {AssertionError} that shows both, if they differ. */
export function requireSame(what: string, actual: unknown, expected: unknown): void {
  try {
    deepStrictEqual(actual, expected);
  } catch (error) {
    const { message } = error as AssertionError;
    throw new AssertionError({ message: `${what}\n${message}`, actual, expected, operator: 'sagaScenario' });
  }
}
