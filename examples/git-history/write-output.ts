import type { Writable } from 'node:stream';
import { Failure } from './failure.ts';

/**
 * Writes no faster than the reader takes it, and resolves when all is written. A reader that has seen enough, as in
 * `| head`, is no error: then the rest is not asked for.
 * @throws {Failure} if writing fails for another reason; what `chunks` throws.
 */
export async function writeOutput(
  chunks: Iterable<string | Uint8Array> | AsyncIterable<string | Uint8Array>,
  output: Writable,
): Promise<void> {
  // Whoever is not listening is ended by an error; here it is the callback that tells of it.
  output.on('error', ignore);
  for await (const chunk of chunks) if ((await write(chunk, output)) === 'unread') return;
}

/** @throws {Failure} */
async function write(chunk: string | Uint8Array, output: Writable): Promise<'written' | 'unread'> {
  try {
    await new Promise<void>((resolve, reject) => output.write(chunk, (error) => (error ? reject(error) : resolve())));
    return 'written';
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'EPIPE') return 'unread';
    throw new Failure(`The output cannot be written: ${message}.`, 'Check where it is redirected to.', {
      cause: error,
    });
  }
}

function ignore(): void {}
