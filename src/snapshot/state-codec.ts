/** Between states and the bytes that are kept of them. */
import { fromUtf8, toHex, toUtf8 } from '../event/bytes.ts';
import { toExactJson } from '../event/json.ts';
import { sha256 } from '../ground/digest.ts';
import type { Entry } from './catalog.ts';

export type StateEncoding = 'json' | 'json+deflate';

export interface EncodedState {
  readonly encoding: StateEncoding;
  readonly bytes: Uint8Array;
}

/** Bytes from which compressing is tried, and the share of them that it must save. */
const compressedFrom = 4_096;
const savedShare = 1 / 4;

/** @throws {EngineError} `data_unfaithful` for a state that JSON cannot carry unchanged. */
export async function encodeState(state: unknown): Promise<EncodedState> {
  const json = toUtf8(toExactJson(state, 'state'));
  if (json.length < compressedFrom) return { encoding: 'json', bytes: json };
  const bytes = await through(json, new CompressionStream('deflate-raw'));
  const pays = bytes.length <= json.length * (1 - savedShare);
  return pays ? { encoding: 'json+deflate', bytes } : { encoding: 'json', bytes: json };
}

export async function decodeState({ encoding, bytes }: EncodedState): Promise<unknown> {
  const json = encoding === 'json' ? bytes : await through(bytes, new DecompressionStream('deflate-raw'));
  return JSON.parse(fromUtf8(json));
}

async function through(bytes: Uint8Array, transform: CompressionStream | DecompressionStream): Promise<Uint8Array> {
  const body = new Response(bytes as Uint8Array<ArrayBuffer>).body as ReadableStream<Uint8Array<ArrayBuffer>>;
  return new Uint8Array(await new Response(body.pipeThrough(transform)).arrayBuffer());
}

/** Over all that is believed of a snapshot: 64 hexadecimal digits. */
export function snapshotDigest(stream: string, entry: Omit<Entry, 'digest' | 'bytes'>, bytes: Uint8Array): string {
  const { version, position, recordedAt, id, deleted, code, samples, encoding } = entry;
  const fields = ['eventsrc/snapshot/1', stream, version, position, recordedAt, id, deleted, code, samples, encoding];
  // JSON has no line feed of its own, so it is certain where the state begins.
  const head = toUtf8(`${JSON.stringify(fields)}\n`);
  const whole = new Uint8Array(head.length + bytes.length);
  whole.set(head);
  whole.set(bytes, head.length);
  return toHex(sha256(whole));
}
