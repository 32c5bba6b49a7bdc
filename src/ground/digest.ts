/** The only place in the core that knows Node: WebCrypto's digests are thirty times slower, one after another. */
import { hash } from 'node:crypto';

/** SHA-256 (FIPS 180-4): 32 bytes. */
export function sha256(bytes: Uint8Array): Uint8Array {
  return hash('sha256', bytes, 'buffer');
}
