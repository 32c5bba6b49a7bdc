const encoder = new TextEncoder();
// Stored bytes are well-formed and never begin with a byte order mark that is not data.
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export function toUtf8(text: string): Uint8Array {
  return encoder.encode(text);
}

const sharedBytes = 8_192;
/** Longer texts get a buffer of their own: at most so much of one is left over. */
const sharingMax = 2_048;
let shared = new Uint8Array(sharedBytes);
let sharedEnd = 0;

/**
 * As `toUtf8`, but several share a buffer, since one for each takes longer to make than its bytes: for what stays in this process, and is
 * not handed out.
 */
export function toSharedUtf8(text: string): Uint8Array {
  const most = text.length * 3;
  if (most > sharingMax) return toUtf8(text);
  if (sharedEnd + most > sharedBytes) [shared, sharedEnd] = [new Uint8Array(sharedBytes), 0];
  const start = sharedEnd;
  sharedEnd += encoder.encodeInto(text, shared.subarray(start)).written;
  return shared.subarray(start, sharedEnd);
}

/** @throws {TypeError} if the bytes are not well-formed UTF-8. */
export function fromUtf8(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}

/** Bytes that a well-formed string takes in UTF-8. */
export function utf8Length(text: string): number {
  let length = text.length;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (unit < 0x80) continue;
    // A surrogate pair is two units and four bytes: two for each half.
    length += unit < 0x800 || (unit >= 0xd800 && unit <= 0xdfff) ? 1 : 2;
  }
  return length;
}

const hexPairs: readonly string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

export function toHex(bytes: Uint8Array): string {
  let hex = '';
  for (const byte of bytes) hex += hexPairs[byte];
  return hex;
}

/** The bytes of a hexadecimal string, or undefined if it is not one of `length` bytes. */
export function fromHex(hex: string, length: number): Uint8Array | undefined {
  if (hex.length !== length * 2 || !/^[0-9a-f]*$/i.test(hex)) return undefined;
  const bytes = new Uint8Array(length);
  for (let index = 0; index < length; index++)
    bytes[index] = (hexDigit(hex, index * 2) << 4) | hexDigit(hex, index * 2 + 1);
  return bytes;
}

function hexDigit(hex: string, index: number): number {
  const code = hex.charCodeAt(index);
  // Behind '9' come letters: 'A' is 0x41, 'a' is 0x61.
  return code <= 0x39 ? code - 0x30 : (code & 0x0f) + 9;
}

export function toBase64(bytes: Uint8Array): string {
  let binary = '';
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary);
}

/** Undefined for what is no base64. */
export function fromBase64(text: string): Uint8Array | undefined {
  try {
    return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  } catch {
    return undefined;
  }
}

export function areEqual(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let index = 0; index < a.length; index++) if (a[index] !== b[index]) return false;
  return true;
}
