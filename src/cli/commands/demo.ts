import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { EngineError } from '../../ground/errors.ts';
import { action, defineCommand } from '../define.ts';
import { CliError } from '../failure.ts';
import { packageRoot } from '../package-root.ts';

/** The example of the repository, as the build put it beside this program. */
const shop = join(packageRoot, 'dist/cli/demo.js');

export const demo = action<[file?: string], object>(
  defineCommand({
    usage: 'demo [file]',
    summary: 'play a ticket shop',
    does: 'Play a ticket shop: orders, races, a double click, a kill. With a file, its store is kept, to look around in.',
    examples: [
      ['demo', 'leaves nothing behind'],
      ['demo shop.db', 'then: eventsrc read --store sqlite:shop.db'],
    ],
    isStoreless: true,
  }),
  async ({ terminal }, _options, given) => {
    const file = given === undefined ? undefined : resolve(given);
    if (file !== undefined && existsSync(file)) throw new EngineError('file_exists', { file });
    const child = spawn(process.execPath, [shop, ...(file === undefined ? [] : [file])], {
      stdio: ['ignore', terminal.isJson ? 'ignore' : 'inherit', 'inherit'],
    });
    const [code, signal] = (await once(child, 'exit')) as [number | null, string | null];
    if (code !== 0)
      throw new CliError(`The demo ended with ${code ?? signal}`, 'Repeat it; if it fails again, report it.');
    if (terminal.isJson) await terminal.printJson({ file: file ?? null });
  },
);
