/** How a path, which is any bytes but NUL, appears in stream names and in events, which are text. */
import { hash } from 'node:crypto';
import { file } from './aggregates.ts';
import { bytesOf, fromBytes, fromText, toText } from './byte-string.ts';
import type { ByteString } from './byte-string.ts';

/** A path in an event: as text where it is valid UTF-8, otherwise its bytes. */
export type PathData = { readonly path: string } | { readonly pathBase64: string };

const hashPrefix = 'sha256:';
/** What eventsrc allows in a stream name, less `file-`. */
const idBytesMax = 1_024 - file.name.length - 1;
const controlPattern = /\p{Cc}/u;

export function pathToData(path: ByteString): PathData {
  const text = toText(path);
  return text === undefined ? { pathBase64: bytesOf(path).toString('base64') } : { path: text };
}

export function pathFromData(data: PathData): ByteString {
  return 'path' in data ? fromText(data.path) : fromBytes(Buffer.from(data.pathBase64, 'base64'));
}

/**
 * The stream of a path: `file-<path>`, or `file-sha256:<digest of its bytes>` where the path cannot be part of a stream
 * name, or looks like such a digest itself and so could be taken for another path.
 */
export function fileStream(path: ByteString): string {
  const text = path.length <= idBytesMax ? toText(path) : undefined;
  const isName = text !== undefined && !controlPattern.test(text) && !text.startsWith(hashPrefix);
  return file.stream(isName ? text : hashPrefix + hash('sha256', bytesOf(path)));
}
