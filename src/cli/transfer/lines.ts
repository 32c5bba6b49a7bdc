import { parseExactly } from '../exact-json.ts';
import { CliError } from '../failure.ts';

/** A line of JSON. */
export interface Line {
  /** From 1. */
  readonly number: number;
  readonly value: unknown;
  /** As it was written; good until the next lines are asked for. */
  readonly bytes: Uint8Array;
}

/** What is longer is no line of events: a limit, so that garbage cannot fill the memory. */
const lineBytesMax = 64 * 1024 * 1024;
const lineFeed = 10;

/**
 * The lines of newline-delimited JSON, as many together as arrive together; empty lines are passed over.
 * @throws {CliError} that names the line, after all lines before it.
 */
export async function* readLines(name: string, chunks: AsyncIterable<Uint8Array>): AsyncGenerator<readonly Line[]> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let rest: Uint8Array[] = [];
  let restBytes = 0;
  let number = 0;
  const parse = (bytes: Uint8Array): Line | undefined => {
    number += 1;
    return parseLine(name, number, bytes, decoder);
  };
  for await (const chunk of chunks) {
    const lines: Line[] = [];
    let start = 0;
    try {
      for (let end = chunk.indexOf(lineFeed); end !== -1; end = chunk.indexOf(lineFeed, start)) {
        const piece = chunk.subarray(start, end);
        const line = parse(rest.length === 0 ? piece : Buffer.concat([...rest, piece]));
        if (line !== undefined) lines.push(line);
        rest = [];
        restBytes = 0;
        start = end + 1;
      }
    } catch (error) {
      // What is good is not held back by what follows it.
      if (lines.length > 0) yield lines;
      throw error;
    }
    if (lines.length > 0) yield lines;
    if (start === chunk.length) continue;
    rest.push(chunk.subarray(start));
    restBytes += chunk.length - start;
    if (restBytes > lineBytesMax) {
      throw new CliError(
        `Line ${number + 1} of ${name} is longer than ${lineBytesMax / 1024 ** 2} MiB`,
        'Give one JSON object a line (newline-delimited JSON).',
      );
    }
  }
  const last = restBytes === 0 ? undefined : parse(Buffer.concat(rest));
  if (last !== undefined) yield [last];
}

function parseLine(name: string, number: number, bytes: Uint8Array, decoder: TextDecoder): Line | undefined {
  let text: string;
  try {
    text = decoder.decode(bytes);
  } catch (cause) {
    throw new CliError(`Line ${number} of ${name} is not UTF-8`, 'Convert the file to UTF-8.', { cause });
  }
  try {
    return { number, value: parseExactly(text), bytes };
  } catch (cause) {
    if (text.trim() === '') return undefined;
    const isList = number === 1 && text.trimStart().startsWith('[');
    throw new CliError(
      `Line ${number} of ${name} is not JSON: ${(cause as Error).message}`,
      isList
        ? 'Give one object a line, for example by jq -c .[] FILE'
        : 'Correct the line, and import again: what is there already is skipped.',
      { cause },
    );
  }
}
