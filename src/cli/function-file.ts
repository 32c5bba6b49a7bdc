import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { importModule } from './config-file.ts';
import { CliError, usageError } from './failure.ts';

/**
 * The function that a file of the user's exports; what it takes and gives is for whoever calls it to look at.
 * @param remedy if there is no such file.
 * @param example of how such a file ends.
 * @throws {CliError}
 */
export async function loadFunction(given: string, remedy: string, example: string): Promise<unknown> {
  const file = resolve(given);
  if (!existsSync(file)) throw usageError(`${file} does not exist`, remedy);
  const { default: exported } = await importModule(file);
  if (typeof exported !== 'function')
    throw new CliError(`${file} exports no function`, `End it with: export default ${example};`);
  return exported;
}
