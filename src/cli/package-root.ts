import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Of this package: two folders above the sources as well as above what is built of them. */
export const packageRoot: string = join(import.meta.dirname, '../..');

export const packageVersion: string = (
  JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as { version: string }
).version;
