/** What SQLite stores it does not checksum: these catch flipped bits before they are served. */
import { crc32 } from 'node:zlib';

/** The columns of an event's row that its checksum covers, besides the payload. */
export interface EventRowHeader {
  readonly position: number;
  readonly stream: number;
  readonly version: number;
  readonly type: number;
  readonly recordedAt: number;
  readonly tags: string | null;
  readonly dataLength: number;
  readonly segment: number | null;
}

/** CRC-32 (ISO 3309) of the payload, seeded with a mix of the header, as a signed 32-bit integer. */
export function eventChecksum(header: EventRowHeader, payload: Uint8Array): number {
  const seed = mixIntegers(
    header.position,
    header.stream,
    header.version,
    header.type,
    header.recordedAt,
    header.dataLength,
    header.segment ?? -1,
  );
  const crc = crc32(payload, seed);
  return (header.tags === null ? crc : crc32(header.tags, crc)) | 0;
}

/** The checksum of a name under its id, and of whatever else belongs to it. */
export function nameChecksum(id: number, ...parts: readonly (string | number)[]): number {
  return parts.reduce<number>((crc, part) => crc32(`${String(part)}\n`, crc), mixIntegers(id)) | 0;
}

/** The checksum of a row that consists of integers. */
export function integersChecksum(...values: readonly number[]): number {
  return mixIntegers(...values) | 0;
}

/** The checksum of a receipt's columns, each preceded by its length. */
export function receiptChecksum(columns: readonly (string | number | Uint8Array | null)[]): number {
  let crc = 0;
  for (const column of columns) {
    const value = column instanceof Uint8Array ? column : `${typeof column}${String(column)}`;
    crc = crc32(value, crc32(String(value.length), crc));
  }
  return crc | 0;
}

/** Every step can be undone given the value, so a change of one value always changes the result (FNV-1a's step). */
function mixIntegers(...values: readonly number[]): number {
  let mix = 0x811c9dc5;
  for (const value of values) {
    mix = Math.imul(mix ^ (value % 0x1_0000_0000), 0x01000193);
    mix = Math.imul(mix ^ Math.floor(value / 0x1_0000_0000), 0x01000193);
  }
  return mix >>> 0;
}
