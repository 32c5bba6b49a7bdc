/** The only place in the core that knows Node: WebCrypto's digests are thirty times slower, one after another. */
import { hash } from 'node:crypto';

/** SHA-256 (FIPS 180-4): 32 bytes. */
export function sha256(bytes: Uint8Array): Uint8Array {
  // Asked for as a text of one character a byte: the Buffer that Node would make takes twice as long as the hashing.
  const text = hash('sha256', bytes, 'latin1');
  const digest = new Uint8Array(text.length);
  for (let index = 0; index < text.length; index++) digest[index] = text.charCodeAt(index);
  return digest;
}
