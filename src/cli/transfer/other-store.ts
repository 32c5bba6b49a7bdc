import type { Backend } from '../../store/port.ts';
import { realPath } from '../../sqlite/file-identity.ts';
import { usageError } from '../failure.ts';
import { storeName } from '../session.ts';
import { parseStoreUrl } from '../store-url.ts';
import type { StoreLocation } from '../store-url.ts';

/**
 * Where `--to` says that a store is to be written.
 * @param given how the other one is named: `--from`.
 * @throws {CliError} if it is the one that is read.
 */
export function otherStore(url: string, from: StoreLocation | Backend, given: string): StoreLocation {
  const to = parseStoreUrl(url, process.cwd());
  if (to.kind !== 'memory' && identityOf(from) === identityOf(to))
    throw usageError(`${given} and --to are the same store`, 'Name another store to write into.');
  return to;
}

/** A file has one name behind all links. */
function identityOf(location: StoreLocation | Backend): string {
  const name = storeName(location);
  return name.startsWith('sqlite:') ? `sqlite:${realPath(name.slice('sqlite:'.length))}` : name;
}
