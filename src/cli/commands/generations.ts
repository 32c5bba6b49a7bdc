/** Which generation of a view serves, and which are still needed. */
import { countArgument } from '../arguments.ts';
import { onlyOne, requireKept, requireProjection, requireRun, statusOfOnly } from '../consumers.ts';
import { action, defineCommand } from '../define.ts';
import type { Session } from '../session.ts';
import type { Engine } from '../../engine/engine.ts';

export const adopt = action<[name: string], object>(
  defineCommand({
    usage: 'adopt <name>',
    summary: 'let the new generation of a view serve',
    does: 'Let the generation of a view serve that was rebuilt and found to differ from the one that serves.',
    examples: [['projections adopt balances', 'after: eventsrc rebuild balances --diff']],
  }),
  async (session, _options, name) => {
    await using engine = await openFor(session, name);
    const { generation: old } = await statusOfOnly(engine);
    const generation = await engine.consumers.adopt(name);
    await session.terminal.printDone(
      `Generation ${generation} of ${name} serves; generation ${old} stays until: eventsrc projections drop ${name} ${old}`,
      { name, generation, before: old },
    );
  },
);

export const drop = action<[name: string, generation: string], object>(
  defineCommand({
    usage: 'drop <name> <generation>',
    summary: 'remove a generation of a view that does not serve',
    does: 'Remove a generation of a view, with its documents: one that served before, or one that was built or is being built. The one that serves cannot be removed.',
    examples: [['projections drop balances 2', 'eventsrc projections shows which there are']],
  }),
  async (session, _options, name, text) => {
    const generation = countArgument('generation', text);
    await using engine = await openFor(session, name);
    await engine.consumers.drop(name, generation);
    const { generation: serving } = await statusOfOnly(engine);
    await session.terminal.printDone(`Removed generation ${generation} of ${name}; generation ${serving} serves`, {
      name,
      generation,
      serving,
    });
  },
);

export const dropVersion = action<[name: string, version: string], object>(
  defineCommand({
    usage: 'drop-version <name> <version>',
    summary: 'remove all of a lower version of a view',
    does: 'Remove all that is left of a lower version of a view, once no process runs that version any more.',
    examples: [['projections drop-version balances 1', 'after all processes run version 2']],
  }),
  async (session, _options, name, text) => {
    const version = countArgument('version', text);
    const projection = await requireProjection(session, name);
    requireKept(projection);
    await using engine = await session.openEngine('write', onlyOne(projection));
    await engine.consumers.dropVersion(name, version);
    await session.terminal.printDone(`Removed version ${version} of ${name}`, { name, version });
  },
);

async function openFor(session: Session, name: string): Promise<Engine> {
  const projection = await requireProjection(session, name);
  requireKept(projection);
  const engine = await session.openEngine('write', onlyOne(projection));
  try {
    requireRun(await statusOfOnly(engine));
    return engine;
  } catch (error) {
    await engine.close();
    throw error;
  }
}
