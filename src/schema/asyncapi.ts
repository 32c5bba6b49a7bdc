/**
 * A model as an AsyncAPI 3.0 document: the events that a system appends, the commands that it takes.
 * https://www.asyncapi.com/docs/reference/specification/v3.0.0
 */
import type { Json } from '../event/json.ts';
import { isRecord } from '../event/json-schema.ts';
import type { JsonSchema } from '../event/json-schema.ts';
import { documentName, UniqueNames, versionName } from './document-names.ts';
import { toDraft07 } from './draft-07.ts';
import { embeddedSchemas } from './embedded-schemas.ts';
import { inOrder } from './event-model.ts';
import type { EventModel, ModelCommand, ModelEvent, ModelVersion } from './event-model.ts';

interface JsonRecord {
  readonly [key: string]: Json;
}

/** What the metadata of events and commands have in common. */
const metadata: JsonRecord = {
  correlationId: { type: 'string', description: 'The same for everything that one request set off.' },
  causationId: { type: 'string', description: 'The id of the event or command that caused this one.' },
  actor: { type: 'string', description: 'Who did it.' },
  commandId: { type: 'string' },
  traceparent: { type: 'string', description: 'W3C Trace Context.' },
};
const eventHeaders: JsonRecord = { type: 'object', properties: metadata };
const commandHeaders: JsonRecord = {
  type: 'object',
  properties: {
    ...metadata,
    aggregateId: { type: 'string', description: 'The instance that it is for; of a decision there is none.' },
    idempotencyKey: { type: 'string', description: 'A repetition with the same key is answered, and not done again.' },
  },
};

/**
 * JSON. A channel for each aggregate, `<aggregate>-{id}`, with a message for every version of its events, of which the application sends
 * the newest; one for the commands of each aggregate and one for all decisions, whose address is left open, as it is not for an event store to
 * say. Payloads are in draft 07, which is what every tool for AsyncAPI reads: rules that it cannot express are left out.
 */
export function asyncApiDocument(model: EventModel): string {
  return `${JSON.stringify(new Description(inOrder(model)).document(), null, 2)}\n`;
}

class Description {
  readonly #model: EventModel;
  readonly #channels = new Map<string, JsonRecord>();
  readonly #operations = new Map<string, JsonRecord>();
  readonly #messages = new Map<string, JsonRecord>();
  readonly #schemas = new Map<string, JsonSchema>();
  readonly #channelNames = new UniqueNames();
  readonly #messageNames = new UniqueNames();

  constructor(model: EventModel) {
    this.#model = model;
  }

  document(): JsonRecord {
    const { title, version, description, aggregates, decisions, events } = this.#model;
    const owners = new Set([...aggregates.map(({ name }) => name), ...events.map(({ owner }) => owner)]);
    // First of all, so that these names are as expected.
    const streams = [...owners].map((owner) => ({ owner, channel: this.#channelNames.take(channelOf(owner)) }));
    for (const { owner, channel } of streams) this.#addStreams(owner, channel);
    for (const { name, commands } of aggregates) {
      const about = { title: `Commands of ${name}`, description: `What can be asked of one ${name}.` };
      this.#addCommands(`${documentName(name)}.commands`, about, `${documentName(name)}.`, commands);
    }
    const about = { title: 'Decisions', description: 'Commands that are decided upon events of several streams.' };
    this.#addCommands('decisions', about, 'decision.', decisions);
    return {
      asyncapi: '3.0.0',
      info: { title, version, ...(description !== undefined && { description }) },
      defaultContentType: 'application/json',
      channels: Object.fromEntries(this.#channels),
      operations: Object.fromEntries(this.#operations),
      components: { messages: Object.fromEntries(this.#messages), schemas: this.#schemaComponents() },
    };
  }

  #schemaComponents(): JsonRecord {
    const schemas = embeddedSchemas(this.#schemas, '#/components/schemas/');
    return Object.fromEntries([...schemas].map(([name, schema]) => [name, toDraft07(schema)]));
  }

  /** The streams of an aggregate, and what is appended to them. */
  #addStreams(owner: string, channel: string): void {
    const events = this.#model.events.filter((event) => event.owner === owner);
    const sent: string[] = [];
    const messages = events.flatMap((event) =>
      event.versions.map((version) => {
        const name = this.#addMessage(versionName(event, version.version), version.schema, 'eventHeaders', {
          ...eventMessage(event, version),
        });
        if (version.version === event.newest && !event.retired) sent.push(name);
        return name;
      }),
    );
    const address = owner === '' ? '{stream}' : `${braceless(owner)}-{id}`;
    const parameter: JsonRecord =
      owner === ''
        ? { stream: { description: 'The name of the stream, <aggregate>-<id>.' } }
        : { id: { description: `Which ${owner}.` } };
    const title = owner === '' ? 'Other events' : owner;
    const description = owner === '' ? 'Events that no aggregate declares.' : `The events of one ${owner}.`;
    this.#addChannel(channel, { address, title, description, parameters: parameter }, messages);
    this.#addOperation('send', channel, sent, `Appends events${owner === '' ? '' : ` of ${owner}`}.`);
  }

  #addCommands(name: string, about: JsonRecord, prefix: string, commands: readonly ModelCommand[]): void {
    if (commands.length === 0) return;
    const channel = this.#channelNames.take(name);
    const messages = commands.map((command) =>
      this.#addMessage(prefix + documentName(command.name), command.input, 'commandHeaders', {
        name: command.name,
        title: command.name,
        ...summaryOf(command.input),
      }),
    );
    this.#addChannel(channel, { address: null, ...about }, messages);
    this.#addOperation('receive', channel, messages, 'Takes commands.');
  }

  #addMessage(wanted: string, schema: JsonSchema | undefined, headers: string, about: JsonRecord): string {
    const name = this.#messageNames.take(wanted);
    if (schema !== undefined) this.#schemas.set(name, schema);
    this.#schemas.set(headers, headers === 'eventHeaders' ? eventHeaders : commandHeaders);
    this.#messages.set(name, {
      ...about,
      contentType: 'application/json',
      headers: { $ref: `#/components/schemas/${headers}` },
      correlationId: { location: '$message.header#/correlationId' },
      ...(schema !== undefined && { payload: { $ref: `#/components/schemas/${name}` } }),
    });
    return name;
  }

  #addChannel(channel: string, about: JsonRecord, messages: readonly string[]): void {
    const refs = messages.map((name) => [name, { $ref: `#/components/messages/${name}` }]);
    this.#channels.set(channel, { ...about, messages: Object.fromEntries(refs) });
  }

  #addOperation(action: 'send' | 'receive', channel: string, messages: readonly string[], summary: string): void {
    if (messages.length === 0) return;
    this.#operations.set(`${action}.${channel}`, {
      action,
      channel: { $ref: `#/channels/${channel}` },
      summary,
      messages: messages.map((name) => ({ $ref: `#/channels/${channel}/messages/${name}` })),
    });
  }
}

function channelOf(owner: string): string {
  return owner === '' ? 'streams' : documentName(owner);
}

function eventMessage(event: ModelEvent, { version, schema, fingerprint, registeredAt }: ModelVersion): JsonRecord {
  const { type, newest, retired, readAs } = event;
  return {
    name: type,
    title: newest === 1 ? type : `${type}, version ${version}`,
    ...summaryOf(schema),
    'x-schema-version': version,
    ...(fingerprint !== undefined && { 'x-fingerprint': fingerprint }),
    ...(registeredAt !== undefined && { 'x-registered-at': new Date(registeredAt).toISOString() }),
    ...(retired && { 'x-retired': true, 'x-read-as': readAs ?? [] }),
  };
}

function summaryOf(schema: JsonSchema | undefined): JsonRecord {
  const description = isRecord(schema) ? schema['description'] : undefined;
  return typeof description === 'string' ? { summary: description } : {};
}

/** In an address, braces are for parameters. */
function braceless(text: string): string {
  return text.replaceAll(/[{}]/gu, '');
}
