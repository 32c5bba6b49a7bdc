import { existsSync } from 'node:fs';
import { isOurs } from '../../event/cloud-event.ts';
import type { CloudEventAttributes } from '../../event/cloud-event.ts';
import { CliError, usageError } from '../failure.ts';
import { loadFunction } from '../function-file.ts';
import { fromForeignCloudEvent } from './foreign-event.ts';
import type { ForeignEvent, Mapping } from './foreign-event.ts';

const fields = ['stream', 'type', 'data', 'time', 'id', 'source'] as const;
type Field = (typeof fields)[number];

const remedy = 'Write --map FILE.ts, or fields such as stream=order-{orderId},type=kind,time=at,data=payload';

/** Exports of ours are imported as such, with their ids: not by the way. */
function fromUnmapped(value: unknown, line: number): ForeignEvent {
  if (isOurs((value ?? {}) as CloudEventAttributes)) {
    throw new CliError(
      `Line ${line} is an event of an eventsrc export, and those before it are not`,
      'Import an export from a file of its own.',
    );
  }
  return fromForeignCloudEvent(value, line);
}

/** What `--map` says: a file that exports a function, or which field is where. Default: lines are CloudEvents. */
export async function loadMapping(given: readonly string[] | undefined): Promise<Mapping> {
  if (given === undefined) return fromUnmapped;
  const [only] = given;
  if (given.length === 1 && only !== undefined && (!only.includes('=') || existsSync(only))) {
    const example = '(line) => ({ stream: …, type: …, data: … })';
    return (await loadFunction(only, remedy, example)) as Mapping;
  }
  return fieldMapping(given.flatMap((text) => text.split(',')));
}

/** `type=kind` is what a field says; `stream=order-{order.id}` a text with fields in it; `type='OrderPlaced'` a constant. */
function fieldMapping(assignments: readonly string[]): Mapping {
  const templates = new Map<Field, string>();
  for (const assignment of assignments) {
    const [name = '', ...rest] = assignment.split('=');
    if (!isField(name) || rest.length === 0 || rest.join('=') === '')
      throw usageError(`--map says ${JSON.stringify(assignment)}; it can say ${fields.join(', ')}`, remedy);
    templates.set(name, rest.join('='));
  }
  const isCloudEvent = (value: unknown) => typeof value === 'object' && value !== null && 'specversion' in value;
  return (value, line) => {
    const found = [...templates].map(([name, template]) => [name, filled(template, value, name, line)] as const);
    // What is not there leaves what is said elsewhere as it is.
    const given = Object.fromEntries(found.filter(([, part]) => part !== undefined)) as Partial<ForeignEvent>;
    // What is not said of a CloudEvent is where CloudEvents have it.
    if (isCloudEvent(value)) return { ...fromForeignCloudEvent({ subject: '', ...(value as object) }, line), ...given };
    const { stream, type } = given;
    if (stream === undefined || type === undefined)
      throw usageError('--map does not say what stream and type are', remedy);
    return { data: value, ...given, stream, type };
  };
}

function isField(name: string): name is Field {
  return (fields as readonly string[]).includes(name);
}

function filled(template: string, value: unknown, name: Field, line: number): unknown {
  const [, constant] = /^'(.*)'$/.exec(template) ?? [];
  if (constant !== undefined) return constant;
  if (template.includes('{')) return template.replace(/\{([^}]*)\}/g, (_, path: string) => textAt(value, path, line));
  if (name === 'stream' || name === 'type') return textAt(value, template, line);
  const found = at(value, template);
  if (found === undefined && name === 'data') throw missing(template, line);
  return found;
}

function textAt(value: unknown, path: string, line: number): string {
  const found = at(value, path);
  if (typeof found === 'string' || typeof found === 'number') return String(found);
  throw missing(path, line);
}

/** `order.items.0.sku` */
function at(value: unknown, path: string): unknown {
  let found = value;
  for (const step of path.split('.')) {
    if (typeof found !== 'object' || found === null || !Object.hasOwn(found, step)) return undefined;
    found = (found as Readonly<Record<string, unknown>>)[step];
  }
  return found;
}

function missing(path: string, line: number): CliError {
  return new CliError(
    `Line ${line} has no ${path} that could be used`,
    "Correct the line, and import again: what is there already is skipped. (A constant stands in quotes: type='OrderPlaced'.)",
  );
}
