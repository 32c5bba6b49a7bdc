/**
 * Fingerprints of JSON Schemas: equal for schemas that take the same values and say it in the same keywords, whatever the order of what has none,
 * what definitions are called (arktype numbers them, differently in each process), what is said for people only, and whether a definition is
 * referred to or written out.
 */
import { toHex, toUtf8 } from './bytes.ts';
import type { Json } from './json.ts';
import { toCanonicalJson } from './json.ts';
import { isRecord, nestings, referenced } from './json-schema.ts';
import type { JsonSchema, SchemaShape } from './json-schema.ts';
import { sha256 } from '../ground/digest.ts';

/** SHA-256 in hexadecimal, of what is taken and of what is given. */
export function fingerprintOf({ input, output }: SchemaShape): string {
  return hashed(`${fingerprintOfSchema(input)}\n${fingerprintOfSchema(output)}`);
}

/** SHA-256 in hexadecimal. */
export function fingerprintOfSchema(schema: JsonSchema): string {
  const references = [...referencesIn(schema)];
  let known: ReadonlyMap<string, string> = new Map();
  // Each round tells definitions apart by one more step of references; after as many rounds as there are definitions, all that differ are.
  for (let round = 0; round <= Math.min(references.length, roundsMax); round++) {
    known = new Map(references.map(([reference, target]) => [reference, fingerprint(target, known)]));
  }
  return fingerprint(schema, known);
}

const roundsMax = 200;

/** Those that can be reached, with what they lead to. */
function referencesIn(document: JsonSchema): ReadonlyMap<string, Json> {
  const found = new Map<string, Json>();
  const rest: Json[] = [document];
  for (let schema = rest.pop(); schema !== undefined; schema = rest.pop()) {
    if (!isRecord(schema)) continue;
    for (const [keyword, value] of Object.entries(schema)) rest.push(...schemasIn(keyword, value));
    const { $ref: reference } = schema;
    const target = typeof reference === 'string' ? referenced(document, reference) : undefined;
    if (target === undefined || found.has(String(reference))) continue;
    found.set(String(reference), target);
    rest.push(target);
  }
  return found;
}

function schemasIn(keyword: string, value: Json): readonly Json[] {
  const nesting = nestings.get(keyword);
  if (nesting === 'one') return [value];
  if (nesting === 'list') return Array.isArray(value) ? (value as readonly Json[]) : [];
  return nesting === 'map' && isRecord(value) ? Object.values(value) : [];
}

/** Other keywords that have a say; what is not among them is for people, or for other programs. */
const assertions = new Set([
  '$id',
  '$anchor',
  '$ref',
  '$dynamicRef',
  '$dynamicAnchor',
  'type',
  'enum',
  'const',
  'multipleOf',
  'minimum',
  'maximum',
  'exclusiveMinimum',
  'exclusiveMaximum',
  'minLength',
  'maxLength',
  'pattern',
  'format',
  'contentEncoding',
  'contentMediaType',
  'contentSchema',
  'minItems',
  'maxItems',
  'uniqueItems',
  'minContains',
  'maxContains',
  'minProperties',
  'maxProperties',
  'required',
  'dependentRequired',
]);

/** Lists whose order says nothing. */
const sets = new Set(['required', 'enum', 'type', 'allOf', 'anyOf', 'oneOf']);

function fingerprint(schema: Json, known: ReadonlyMap<string, string>): string {
  if (!isRecord(schema)) return hashed(toCanonicalJson(schema, 'schema'));
  const keywords = Object.keys(schema).filter((keyword) => nestings.has(keyword) || assertions.has(keyword));
  if (keywords.length === 0) return hashed('true');
  const reference = referenceKey(schema.$ref, known);
  if (keywords.length === 1 && keywords[0] === '$ref') return reference;
  const texts = keywords.sort().map((keyword) => {
    const value = schema[keyword] as Json;
    return `${keyword}:${keyword === '$ref' ? reference : textOf(keyword, value, known)}`;
  });
  return hashed(texts.join('\n'));
}

/** What it leads to, by whatever name. */
function referenceKey(reference: Json | undefined, known: ReadonlyMap<string, string>): string {
  const text = String(reference);
  return known.get(text) ?? (text.startsWith('#') ? '' : text);
}

function textOf(keyword: string, value: Json, known: ReadonlyMap<string, string>): string {
  const nesting = nestings.get(keyword);
  if (nesting === 'one') return fingerprint(value, known);
  if (nesting === 'map' && isRecord(value)) {
    const names = Object.keys(value).sort();
    return names.map((name) => `${JSON.stringify(name)} ${fingerprint(value[name] as Json, known)}`).join();
  }
  if (!Array.isArray(value)) return toCanonicalJson(value, 'schema');
  const items = value.map((item) =>
    nesting === 'list' ? fingerprint(item, known) : toCanonicalJson(item as Json, 'schema'),
  );
  return `[${(sets.has(keyword) ? items.sort() : items).join()}]`;
}

function hashed(text: string): string {
  return toHex(sha256(toUtf8(text)));
}
