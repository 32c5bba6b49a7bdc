import { Option } from 'commander';
import { asyncApiDocument } from '../../schema/asyncapi.ts';
import type { EventModel } from '../../schema/event-model.ts';
import { jsonSchemaBundle } from '../../schema/json-schema-bundle.ts';
import { markdownCatalogue } from '../../schema/markdown.ts';
import { mermaidFlowchart } from '../../schema/mermaid.ts';
import { modelOf } from '../config-model.ts';
import { action, defineCommand } from '../define.ts';
import { numberText } from '../moment-text.ts';
import { readCatalogue } from '../schemas.ts';
import { writeFile, writeOutput } from '../transfer/output-file.ts';

interface Options {
  readonly format: Format;
  readonly output?: string;
  readonly force?: boolean;
}

type Format = 'asyncapi' | 'jsonschema' | 'markdown' | 'mermaid';

const renderers: Readonly<Record<Format, (model: EventModel) => string>> = {
  asyncapi: asyncApiDocument,
  jsonschema: jsonSchemaBundle,
  markdown: markdownCatalogue,
  mermaid: mermaidFlowchart,
};

export const exportSchemas = action<[], Options>(
  defineCommand({
    usage: 'export',
    summary: 'write a description of the system for other tools and for people',
    does: 'Write what the config declares and the store has registered: as an AsyncAPI 3 document, as a bundle of JSON Schemas, as a catalogue in Markdown, or as a diagram of commands, events, views and sagas for Mermaid.',
    examples: [
      ['schema export --format asyncapi --output asyncapi.json', 'for tools that read AsyncAPI'],
      ['schema export --format jsonschema | jq .', 'every version of every event'],
      ['schema export --format markdown --output EVENTS.md --force', 'for people, anew'],
      ['schema export --format mermaid', 'a picture'],
    ],
  })
    .addOption(new Option('--format <format>', 'what to write').choices(Object.keys(renderers)).makeOptionMandatory())
    .option('--output <file>', 'into this file, instead of standard output')
    .option('--force', 'replace the file if it exists'),
  async (session, { format, output, force = false }) => {
    const { terminal, signal } = session;
    const config = await session.definitions();
    const model = modelOf(config, await readCatalogue(session));
    const text = renderers[format](model);
    if (output === undefined || output === '-') {
      await writeOutput(terminal.out, once(text), signal);
      return;
    }
    await writeFile(output, once(text), { force, signal });
    const { length: events } = model.events;
    const types = `${numberText(events)} ${events === 1 ? 'type' : 'types'} of events`;
    await terminal.printDone(`Wrote ${types} as ${format} to ${output}`, { file: output, format, events });
  },
);

async function* once(text: string): AsyncGenerator<string> {
  yield text.endsWith('\n') ? text : `${text}\n`;
}
