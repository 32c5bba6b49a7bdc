import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { EngineError } from '../../ground/errors.ts';
import { action, defineCommand } from '../define.ts';
import { CliError, usageError } from '../failure.ts';
import { packageRoot } from '../package-root.ts';
import { storeName } from '../session.ts';
import type { Session } from '../session.ts';
import { parseStoreUrl } from '../store-url.ts';

/** The example of the repository, as the build put it beside this program. */
const shop = join(packageRoot, 'dist/cli/demo.js');

function isUrl(place: string): boolean {
  return /^postgres(?:ql)?:/.test(place);
}

/** @throws {CliError} if there are events already; what opening it throws. */
async function requireEmpty(session: Session, url: string): Promise<void> {
  const location = parseStoreUrl(url, process.cwd());
  await using log = await session.openLog('create', location);
  if ((await log.head()).position > 0)
    throw usageError(`${storeName(location)} holds events already`, 'Name another schema: ?schema=shop');
}

export const demo = action<[place?: string], object>(
  defineCommand({
    usage: 'demo [place]',
    summary: 'play a ticket shop',
    does: 'Play a ticket shop: orders, races, a double click, a live board, sagas, kills. With a place, its store is kept there, to look around in.',
    examples: [
      ['demo', 'leaves nothing behind'],
      ['demo shop.db', 'then: eventsrc read --store sqlite:shop.db'],
      ['demo postgres://me@localhost/test?schema=shop', 'on a server; the schema must be new'],
    ],
    isStoreless: true,
  }),
  async (session, _options, given) => {
    const { terminal } = session;
    const place = given === undefined || isUrl(given) ? given : resolve(given);
    if (place !== undefined && isUrl(place)) await requireEmpty(session, place);
    else if (place !== undefined && existsSync(place)) throw new EngineError('file_exists', { file: place });
    const child = spawn(process.execPath, [shop, ...(place === undefined ? [] : [place])], {
      stdio: ['ignore', terminal.isJson ? 'ignore' : 'inherit', 'inherit'],
    });
    const [code, signal] = (await once(child, 'exit')) as [number | null, string | null];
    if (code !== 0)
      throw new CliError(`The demo ended with ${code ?? signal}`, 'Repeat it; if it fails again, report it.');
    if (terminal.isJson) await terminal.printJson({ place: place ?? null });
  },
);
