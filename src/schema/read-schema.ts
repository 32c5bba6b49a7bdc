/** Reads a JSON Schema into nodes, and says what in it cannot be one. */
import type { Json } from '../event/json.ts';
import { toFaithfulJson } from '../event/json.ts';
import type { JsonSchema } from '../event/json-schema.ts';
import { isRecord, nestings, referenced } from '../event/json-schema.ts';
import { hasCode } from '../ground/errors.ts';
import { hasCircle } from './circles.ts';
import { bounds, counts, keyOf, kinds, regExpOf } from './node.ts';
import type { Kind, Node } from './node.ts';

/** While a node is read: references may lead back to it. */
type Draft = { -readonly [Key in keyof Node]: Node[Key] };

/** Numbers for nodes, and for what they say, across the documents that are compared. */
export class Nodes {
  #count = 0;
  readonly #alike = new Map<string, string>();
  readonly #made = new Map<string, Node>();

  next(): number {
    return ++this.#count;
  }

  alike(text: string): string {
    const known = this.#alike.get(text) ?? `~${this.#alike.size}`;
    this.#alike.set(text, known);
    return known;
  }

  /** A node that no document has; one for each `key`. */
  made(key: string, restricting: Partial<Node>): Node {
    const node = this.#made.get(key) ?? { ...anything, ...restricting, id: this.next(), alike: `made ${key}` };
    this.#made.set(key, node);
    return node;
  }
}

const anything: Omit<Node, 'id' | 'alike'> = {
  schema: true,
  isAnything: false,
  isNothing: false,
  isInteger: false,
  unknown: [],
};

/** One schema with all that it refers to. */
export class SchemaDocument {
  readonly root: Node;
  /** What is not as JSON Schema has it, each as a sentence that says where. */
  readonly faults: readonly string[];
  readonly #schema: JsonSchema;
  readonly #nodes: Nodes;
  readonly #faults: string[] = [];
  /** Those that references lead to. */
  readonly #targets = new Map<string, Draft>();
  readonly #unread: [target: Draft, schema: Json, at: string][] = [];
  readonly #number: number;

  constructor(schema: JsonSchema, nodes: Nodes) {
    this.#schema = schema;
    this.#nodes = nodes;
    this.#number = nodes.next();
    this.faults = this.#faults;
    const root = emptyDraft(nodes);
    this.root = root;
    try {
      toFaithfulJson(schema, '#');
    } catch (error) {
      if (!hasCode(error, 'data_unfaithful')) throw error;
      this.#faults.push(`it is no JSON: ${error.details.found} at ${error.details.path}`);
      return;
    }
    this.#targets.set('#', root);
    this.#fill(root, schema, '#');
    // Not where they are met: a chain of references may be longer than a stack is deep.
    for (let next = this.#unread.pop(); next !== undefined; next = this.#unread.pop()) this.#fill(...next);
    if (hasCircle(root)) this.#faults.push('a schema in it says only that a value is under itself');
  }

  #node(schema: Json | undefined, at: string): Node {
    const draft = emptyDraft(this.#nodes);
    this.#fill(draft, schema, at);
    return draft;
  }

  #fill(draft: Draft, schema: Json | undefined, at: string): void {
    const isSchema = typeof schema === 'boolean' || isRecord(schema);
    if (!isSchema) this.#fault(at, 'a schema is an object, true or false', schema);
    draft.schema = isSchema ? schema : true;
    const said: string[] = [];
    if (isRecord(schema)) {
      for (const keyword of Object.keys(schema).sort()) {
        const text = this.#keyword(draft, keyword, schema[keyword] as Json, `${at}/${escaped(keyword)}`, schema);
        if (text !== undefined) said.push(`${keyword} ${text}`);
      }
    }
    draft.isNothing = schema === false || (draft.not?.isAnything ?? false);
    draft.isAnything = said.length === 0 && !draft.isNothing;
    draft.alike = draft.isNothing ? '~false' : this.#nodes.alike(this.#wording(draft, said));
  }

  /** Where it matters what stands beside it, also keywords that restrict nothing are part of what is said. */
  #wording({ schema, unknown }: Draft, said: readonly string[]): string {
    if (!unknown.some((keyword) => keyword.startsWith('unevaluated'))) return said.join('\n');
    const text = keyOf(schema);
    return /"\$(ref|dynamicRef)"/.test(text) ? `${this.#number} ${this.#nodes.next()}` : `whole ${text}`;
  }

  /** What it says, in words that are equal where it says the same; undefined for what restricts nothing. */
  #keyword(
    draft: Draft,
    keyword: string,
    value: Json,
    at: string,
    schema: { readonly [keyword: string]: Json },
  ): string | undefined {
    if (isOneOf(keyword, counts) || isOneOf(keyword, bounds)) return this.#numeric(draft, keyword, value, at);
    const nesting = nestings.get(keyword);
    if (nesting !== undefined) return this.#nested(draft, keyword, value, at);
    switch (keyword) {
      case 'type':
        return this.#type(draft, value, at);
      case 'enum':
      case 'const':
        return this.#values(draft, keyword, value, at);
      case 'pattern':
        if (typeof value !== 'string' || regExpOf(value) === undefined)
          return this.#fault(at, 'it is a regular expression', value);
        draft.pattern = value;
        return JSON.stringify(value);
      case 'format':
        if (typeof value !== 'string') return this.#fault(at, 'it is a text', value);
        draft.format = value;
        return value;
      case 'required':
        if (!isNames(value)) return this.#fault(at, 'it is a list of names', value);
        draft.required = value;
        return value.length === 0 ? undefined : keyOf([...value].sort());
      case 'dependentRequired':
        if (!isRecord(value) || !Object.values(value).every(isNames))
          return this.#fault(at, 'it has lists of names', value);
        draft.dependentRequired = new Map(Object.entries(value as { readonly [name: string]: readonly string[] }));
        return keyOf(value);
      case 'uniqueItems':
        if (typeof value !== 'boolean') return this.#fault(at, 'it is true or false', value);
        draft.uniqueItems = value;
        return value ? '' : undefined;
      case '$ref':
        return this.#reference(draft, value, at);
      case '$dynamicRef':
        draft.unknown = [...draft.unknown, '$dynamicRef'];
        return `${this.#number} ${at}`;
      case '$id':
        // References below it lead elsewhere.
        return schema === this.#schema ? undefined : this.#fault(at, 'only the whole may have one', value);
      default:
        return undefined;
    }
  }

  #numeric(draft: Draft, keyword: (typeof counts)[number] | (typeof bounds)[number], value: Json, at: string) {
    if (typeof value !== 'number') return this.#fault(at, 'it is a number', value);
    if (isOneOf(keyword, counts) && (value < 0 || !Number.isInteger(value)))
      return this.#fault(at, 'it is an integer from 0', value);
    if (keyword === 'multipleOf' && value <= 0) return this.#fault(at, 'it is more than 0', value);
    draft[keyword] = value;
    return keyOf(value);
  }

  #nested(draft: Draft, keyword: string, value: Json, at: string): string | undefined {
    switch (keyword) {
      case 'not':
      case 'if':
      case 'then':
      case 'else':
      case 'items':
      case 'contains':
      case 'additionalProperties':
      case 'propertyNames': {
        const node = this.#node(value, at);
        draft[keyword] = node;
        // `contains` of anything still wants an item, and `if` gives `then` its meaning.
        const isSaying = !node.isAnything || keyword === 'contains' || keyword === 'not' || keyword === 'if';
        return isSaying ? node.alike : undefined;
      }
      case 'allOf':
      case 'anyOf':
      case 'oneOf':
      case 'prefixItems': {
        if (!Array.isArray(value)) return this.#fault(at, 'it is a list', value);
        const nodes = value.map((item: Json, index) => this.#node(item, `${at}/${index}`));
        if (nodes.length === 0 && keyword !== 'prefixItems') return this.#fault(at, 'it is not empty', value);
        draft[keyword] = nodes;
        return nodes.map(({ alike }) => alike).join();
      }
      case 'properties':
      case 'patternProperties':
      case 'dependentSchemas': {
        if (!isRecord(value)) return this.#fault(at, 'it is an object', value);
        const nodes = Object.keys(value).map(
          (name) => [name, this.#node(value[name], `${at}/${escaped(name)}`)] as const,
        );
        const wrong = keyword === 'patternProperties' && nodes.find(([name]) => regExpOf(name) === undefined);
        if (wrong) return this.#fault(at, 'its names are regular expressions', wrong[0]);
        draft[keyword] = new Map(nodes);
        const texts = nodes.map(([name, { alike }]) => `${JSON.stringify(name)}:${alike}`);
        return texts.length === 0 ? undefined : texts.sort().join();
      }
      default: {
        // `unevaluatedProperties` and `unevaluatedItems`: what is left depends on all that stands beside it.
        const node = this.#node(value, at);
        if (!node.isAnything) draft.unknown = [...draft.unknown, keyword];
        return node.isAnything ? undefined : node.alike;
      }
    }
  }

  #type(draft: Draft, value: Json, at: string): string | undefined {
    const names = (Array.isArray(value) ? value : [value]) as readonly Json[];
    if (!names.every((name) => name === 'integer' || isOneOf(name, kinds)) || names.length === 0)
      return this.#fault(at, `it is one of ${kinds.join(', ')}, integer, or several`, value);
    const found = names.map((name) => (name === 'integer' ? 'number' : name)) as Kind[];
    draft.kinds = new Set(found);
    draft.isInteger = names.includes('integer') && !names.includes('number');
    return `${[...draft.kinds].sort().join()} ${draft.isInteger}`;
  }

  #values(draft: Draft, keyword: 'enum' | 'const', value: Json, at: string): string | undefined {
    if (keyword === 'enum' && !Array.isArray(value)) return this.#fault(at, 'it is a list', value);
    const values = keyword === 'const' ? [value] : (value as readonly Json[]);
    const keys = values.map(keyOf);
    const before = draft.values;
    draft.values = before === undefined ? values : before.filter((other) => keys.includes(keyOf(other)));
    return keys.sort().join();
  }

  #reference(draft: Draft, value: Json, at: string): string | undefined {
    if (typeof value !== 'string') return this.#fault(at, 'it is a text', value);
    const schema = referenced(this.#schema, value);
    if (schema === undefined) {
      if (value.startsWith('#/')) return this.#fault(at, 'it leads to a schema', value);
      draft.unknown = [...draft.unknown, `the reference ${JSON.stringify(value)}`];
      return `${this.#number} ${value}`;
    }
    const known = this.#targets.get(value);
    const target = known ?? emptyDraft(this.#nodes);
    draft.target = target;
    if (known === undefined) {
      this.#targets.set(value, target);
      this.#unread.push([target, schema, value]);
    }
    return `${this.#number} ${value}`;
  }

  #fault(at: string, expected: string, found: Json | undefined): undefined {
    const text = JSON.stringify(found) ?? 'undefined';
    this.#faults.push(`at ${at}, ${expected}, not ${text.length > 60 ? `${text.slice(0, 60)}…` : text}`);
  }
}

function emptyDraft(nodes: Nodes): Draft {
  const id = nodes.next();
  return { ...anything, id, alike: `reading ${id}` };
}

function isOneOf<Name extends string>(name: Json, names: readonly Name[]): name is Name {
  return names.includes(name as Name);
}

function isNames(value: Json): value is readonly string[] {
  return Array.isArray(value) && value.every((name) => typeof name === 'string');
}

function escaped(step: string): string {
  return step.replaceAll('~', '~0').replaceAll('/', '~1');
}
