/** A model as a catalogue to be read: Markdown. */
import type { JsonSchema } from '../event/json-schema.ts';
import { nameOf } from './declared.ts';
import { inOrder, refKey } from './event-model.ts';
import type { EventModel, EventRef, ModelCommand, ModelDecision, ModelEvent, ModelSaga } from './event-model.ts';
import { codeList, codeText, plainText, table } from './markdown-text.ts';
import { schemaFields } from './schema-fields.ts';
import type { SchemaField } from './schema-fields.ts';

/** A section for each aggregate with its commands and events, then decisions, views and sagas. */
export function markdownCatalogue(model: EventModel): string {
  const ordered = inOrder(model);
  const { title, version, description, aggregates, decisions, events, views, sagas } = ordered;
  const readers = readersOf(ordered);
  const own = new Set(aggregates.map(({ name }) => name));
  const blocks = [`# ${plainText(title)}`, `Version ${plainText(version)}.`];
  if (description !== undefined) blocks.push(plainText(description));
  for (const { name, commands } of aggregates) {
    blocks.push(`## Aggregate ${codeText(name)}`);
    if (commands.length > 0) blocks.push('### Commands', ...commands.flatMap((command) => commandBlocks(command)));
    const ownEvents = events.filter(({ owner }) => owner === name);
    if (ownEvents.length > 0)
      blocks.push('### Events', ...ownEvents.flatMap((event) => eventBlocks(event, readers, '####')));
  }
  const others = events.filter(({ owner }) => !own.has(owner));
  if (others.length > 0)
    blocks.push('## Other events', ...others.flatMap((event) => eventBlocks(event, readers, '###')));
  if (decisions.length > 0) blocks.push('## Decisions', ...decisions.flatMap(decisionBlocks));
  if (views.length > 0) {
    const rows = views.map(({ name, kind, version: number, from, handles }) => [
      codeText(name),
      kind,
      String(number),
      codeList(from),
      eventList(handles),
    ]);
    blocks.push('## Views and reactors', table(['Name', 'Kind', 'Version', 'From', 'Events'], rows));
  }
  if (sagas.length > 0) blocks.push('## Sagas', ...sagas.flatMap((saga) => sagaBlocks(saga, events)));
  if (aggregates.length + events.length + decisions.length + views.length + sagas.length === 0)
    blocks.push('Nothing is declared.');
  return `${blocks.join('\n\n')}\n`;
}

/** Who handles an event, by its key. */
function readersOf({ views, sagas, decisions }: EventModel): ReadonlyMap<string, readonly string[]> {
  const readers = new Map<string, string[]>();
  const note = (refs: readonly EventRef[], reader: string) => {
    for (const ref of refs) readers.set(refKey(ref), [...(readers.get(refKey(ref)) ?? []), reader]);
  };
  for (const { name, kind, handles } of views) note(handles, `${codeText(name)} (${kind})`);
  for (const { name, handles } of sagas) note(handles, `${codeText(name)} (saga)`);
  for (const { name, reads } of decisions) note(reads, `${codeText(name)} (decision)`);
  return readers;
}

function commandBlocks({ name, input, emits }: ModelCommand): readonly string[] {
  const known = emits === undefined ? [] : [`Appends ${codeList(emits) || 'nothing'}.`];
  return [`#### ${codeText(name)}`, ...known, fieldTable(input)];
}

function decisionBlocks({ name, input, reads, events }: ModelDecision): readonly string[] {
  const about = `Made upon ${eventList(reads) || 'nothing'}; may append ${eventList(events) || 'nothing'}.`;
  return [`### ${codeText(name)}`, about, fieldTable(input)];
}

function eventBlocks(
  event: ModelEvent,
  readers: ReadonlyMap<string, readonly string[]>,
  heading: '###' | '####',
): readonly string[] {
  const { type, newest, retired, readAs = [], versions } = event;
  const current = versions.find(({ version }) => version === newest);
  const read = readers.get(refKey(event)) ?? [];
  const about = [
    `Version ${newest}.`,
    ...(retired ? [`Retired: read as ${codeList(readAs) || 'others'}, appended no more.`] : []),
    ...(read.length > 0 ? [`Handled by ${read.join(', ')}.`] : []),
  ];
  const blocks = [`${heading} ${codeText(type)}`, about.join(' ')];
  const summary = descriptionOf(current?.schema);
  if (summary !== undefined) blocks.push(plainText(summary));
  blocks.push(fieldTable(current?.schema));
  if (versions.length > 1 || versions.some(({ registeredAt }) => registeredAt !== undefined))
    blocks.push(versionList(event));
  return blocks;
}

/** What each version changed, as a list. */
function versionList({ versions }: ModelEvent): string {
  const lines = versions.map(({ version, schema, registeredAt, up, down }, index) => {
    const before = versions[index - 1];
    const parts = [
      ...(registeredAt === undefined ? [] : [`registered ${new Date(registeredAt).toISOString().slice(0, 10)}`]),
      ...(before === undefined ? [] : [changes(before.schema, schema)]),
      ...(before !== undefined && up ? [`version ${before.version} is read as it`] : []),
      ...(before !== undefined && down ? [`can be read as version ${before.version}`] : []),
    ];
    return `- Version ${version}${parts.length === 0 ? '' : `: ${parts.join('; ')}`}.`;
  });
  return lines.join('\n');
}

function changes(before: JsonSchema | undefined, after: JsonSchema | undefined): string {
  if (before === undefined || after === undefined) return 'what it changed is not known';
  const old = schemaFields(before);
  const now = schemaFields(after);
  const texts = [
    ...missingFrom(old, now).map((field) => `${fieldName(field)} added (${wordsOf(field)})`),
    ...missingFrom(now, old).map((field) => `${fieldName(field)} removed`),
    ...now.flatMap((field) => {
      const was = old.find(({ path }) => path === field.path);
      if (was === undefined || wordsOf(was) === wordsOf(field)) return [];
      return [`${fieldName(field)} was ${wordsOf(was)}, is ${wordsOf(field)}`];
    }),
  ];
  return texts.length === 0 ? 'the same fields' : texts.join('; ');
}

/** Fields that others do not have; what is within one of them goes without saying. */
function missingFrom(others: readonly SchemaField[], fields: readonly SchemaField[]): readonly SchemaField[] {
  const known = new Set(others.map(({ path }) => path));
  const missing = fields.filter(({ path }) => !known.has(path));
  const isWithin = (path: string) =>
    missing.some((one) => path !== one.path && (path.startsWith(`${one.path}.`) || path.startsWith(`${one.path}[`)));
  return missing.filter(({ path }) => path === '' || !isWithin(path));
}

function wordsOf({ type, required }: SchemaField): string {
  return `${plainText(type)}, ${required ? 'required' : 'optional'}`;
}

function fieldName({ path }: SchemaField): string {
  return path === '' ? 'the whole' : codeText(path);
}

function fieldTable(schema: JsonSchema | undefined): string {
  if (schema === undefined) return 'Its schema says nothing of its fields.';
  const fields = schemaFields(schema);
  if (fields.length === 0) return 'No fields.';
  const rows = fields.map((field) => [
    fieldName(field),
    plainText(field.type),
    field.required ? 'yes' : 'no',
    plainText(field.description),
  ]);
  return table(['Name', 'Type', 'Required', 'Description'], rows);
}

function sagaBlocks(saga: ModelSaga, events: readonly ModelEvent[]): readonly string[] {
  const { name, version, startsOn, handles, activities, commands, children } = saga;
  const known = new Set(events.map(refKey));
  const rows = [
    ['Version', String(version)],
    ['Starts on', eventList(startsOn)],
    ['Events', eventList(handles.filter((ref) => known.has(refKey(ref))))],
    ['Signals', codeList(handles.filter((ref) => !known.has(refKey(ref))).map(({ type }) => type))],
    ['Activities', codeList(activities)],
    ['Commands', codeList(commands ?? [])],
    ['Sagas that it starts', codeList(children)],
  ] as const;
  return [
    `### ${codeText(name)}`,
    rows.flatMap(([word, text]) => (text === '' ? [] : [`- ${word}: ${text}`])).join('\n'),
  ];
}

function eventList(refs: readonly EventRef[]): string {
  return codeList(refs.map(nameOf));
}

function descriptionOf(schema: JsonSchema | undefined): string | undefined {
  const description = typeof schema === 'object' ? schema['description'] : undefined;
  return typeof description === 'string' ? description : undefined;
}
