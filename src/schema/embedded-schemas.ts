/** Schemas that refer to parts of themselves, put together in one document in which these references still lead there. */
import type { Json } from '../event/json.ts';
import { isRecord, nestings, referenced } from '../event/json-schema.ts';
import type { JsonSchema } from '../event/json-schema.ts';
import { documentName, UniqueNames } from './document-names.ts';

type SchemaRecord = Exclude<JsonSchema, boolean>;

/** What only says where something is. Definitions that are referred to get names of their own in the document. */
const addresses = new Set([
  '$schema',
  '$id',
  'id',
  '$anchor',
  '$dynamicAnchor',
  '$recursiveAnchor',
  '$defs',
  'definitions',
]);
const references = ['$ref', '$dynamicRef', '$recursiveRef'];

/**
 * The same schemas and, named after them, whatever is referred to within them. A reference that leads out of a schema, or nowhere, is
 * dropped with a `$comment`: nobody who reads the document has to fetch anything.
 * @param prefix of references in the document, for example `#/$defs/`.
 */
export function embeddedSchemas(
  schemas: ReadonlyMap<string, JsonSchema>,
  prefix: string,
): ReadonlyMap<string, JsonSchema> {
  const names = new UniqueNames(schemas.keys());
  const embedded = new Map<string, JsonSchema>();
  for (const [name, schema] of schemas) new Embedding(name, schema, names, prefix).into(embedded);
  return embedded;
}

/** One schema on its way into a document. */
class Embedding {
  readonly #name: string;
  readonly #addresses: Addresses;
  readonly #names: UniqueNames;
  readonly #prefix: string;
  /** What is referred to, or is the schema itself; grows while it is walked through. */
  readonly #parts: Map<JsonSchema, string>;

  constructor(name: string, schema: JsonSchema, names: UniqueNames, prefix: string) {
    this.#name = name;
    this.#addresses = new Addresses(schema);
    this.#names = names;
    this.#prefix = prefix;
    this.#parts = new Map([[schema, name]]);
  }

  into(embedded: Map<string, JsonSchema>): void {
    for (const [schema, name] of this.#parts) embedded.set(name, this.#moved(schema));
  }

  #moved(schema: JsonSchema): JsonSchema {
    if (!isRecord(schema)) return schema;
    const { $comment } = schema;
    const lost: string[] = typeof $comment === 'string' ? [$comment] : [];
    const kept = Object.entries(schema).flatMap(([keyword, value]): [string, Json][] => {
      if (addresses.has(keyword) && !(keyword === 'id' && typeof value !== 'string')) return [];
      if (!references.includes(keyword) || typeof value !== 'string') return [[keyword, value]];
      const target = this.#addresses.find(schema, value);
      if (target !== undefined) return [['$ref', this.#prefix + this.#partOf(target, value)]];
      lost.push(`Refers to ${value}, which is not part of this schema.`);
      return [];
    });
    const moved = mapNested(Object.fromEntries(kept), (nested) => this.#moved(nested));
    return lost.length === 0 ? moved : { ...moved, $comment: lost.join(' ') };
  }

  #partOf(target: JsonSchema, reference: string): string {
    const known = this.#parts.get(target);
    if (known !== undefined) return known;
    const last = reference.split(/[/#]/u).at(-1) ?? '';
    const name = this.#names.take(`${this.#name}.${documentName(last)}`);
    this.#parts.set(target, name);
    return name;
  }
}

/** Where references of a schema lead. */
class Addresses {
  readonly #root: JsonSchema;
  /** The schema with an `$id` of its own from which references start, by the schema that they stand in. */
  readonly #bases = new Map<JsonSchema, JsonSchema>();
  readonly #byId = new Map<string, JsonSchema>();
  /** By base, and by anchor. */
  readonly #anchors = new Map<JsonSchema, Map<string, JsonSchema>>();

  constructor(root: JsonSchema) {
    this.#root = root;
    this.#note(root, root);
  }

  #note(schema: JsonSchema, outer: JsonSchema): void {
    if (!isRecord(schema)) return;
    const { $id } = schema;
    const base = typeof $id === 'string' ? schema : outer;
    if (typeof $id === 'string') this.#byId.set($id.replace(/#$/u, ''), schema);
    this.#bases.set(schema, base);
    for (const keyword of ['$anchor', '$dynamicAnchor']) {
      const anchor = schema[keyword];
      if (typeof anchor !== 'string') continue;
      const anchors = this.#anchors.get(base) ?? new Map<string, JsonSchema>();
      this.#anchors.set(base, anchors.set(anchor, schema));
    }
    mapNested(schema, (nested) => {
      this.#note(nested, base);
      return nested;
    });
  }

  find(from: JsonSchema, reference: string): JsonSchema | undefined {
    const [id = '', fragment = ''] = reference.split('#', 2);
    const base = id === '' ? (this.#bases.get(from) ?? this.#root) : this.#byId.get(id);
    if (base === undefined || fragment === '') return base;
    if (!fragment.startsWith('/')) return this.#anchors.get(base)?.get(fragment);
    const found = referenced(base, `#${fragment}`);
    return typeof found === 'boolean' || isRecord(found) ? found : undefined;
  }
}

/** A schema with others in the places of those directly within it, definitions included. */
export function mapNested(
  schema: SchemaRecord,
  change: (nested: JsonSchema, keyword: string) => JsonSchema,
): SchemaRecord {
  const entries = Object.entries(schema).map(([keyword, value]): [string, Json] => {
    const nesting = keyword === '$defs' || keyword === 'definitions' ? 'map' : nestings.get(keyword);
    const one = (nested: Json) => (typeof nested === 'boolean' || isRecord(nested) ? change(nested, keyword) : nested);
    if (nesting === undefined) return [keyword, value];
    if (Array.isArray(value)) return [keyword, value.map(one)];
    if (nesting === 'one') return [keyword, one(value)];
    if (nesting === 'list' || !isRecord(value)) return [keyword, value];
    return [keyword, Object.fromEntries(Object.entries(value).map(([name, nested]) => [name, one(nested)]))];
  });
  return Object.fromEntries(entries);
}
