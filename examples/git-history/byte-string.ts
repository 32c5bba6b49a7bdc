/**
 * Bytes held in a string, one character (U+0000 to U+00FF) for each, after the type of that name in Web IDL. Git's
 * paths are bytes in no certain encoding; in this form they are map keys, and compare (`<`) as git compares them.
 */
export type ByteString = string;

// A leading U+FEFF is part of a path, not a mark to be dropped.
const strictDecoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const asciiPattern = /^[\x00-\x7f]*$/;

export function bytesOf(byteString: ByteString): Buffer {
  return Buffer.from(byteString, 'latin1');
}

export function fromBytes(bytes: Buffer): ByteString {
  return bytes.toString('latin1');
}

/** The bytes of a text in UTF-8. */
export function fromText(text: string): ByteString {
  return asciiPattern.test(text) ? text : fromBytes(Buffer.from(text, 'utf8'));
}

/** The text whose UTF-8 the bytes are, or undefined if they are not well-formed UTF-8. */
export function toText(byteString: ByteString): string | undefined {
  if (asciiPattern.test(byteString)) return byteString;
  try {
    return strictDecoder.decode(bytesOf(byteString));
  } catch {
    return undefined;
  }
}
