/** How two JSON Schemas differ, for people: field by field. Whether it matters, `incompatibilities` says. */
import { pathStep } from '../event/json.ts';
import type { JsonSchema } from '../event/json-schema.ts';
import { fingerprintOfSchema } from '../event/schema-fingerprint.ts';
import type { Node } from './node.ts';
import { Nodes, SchemaDocument } from './read-schema.ts';
import { has, viewOf, viewText } from './schema-view.ts';
import type { SchemaView } from './schema-view.ts';
import { valuesText, valueText } from './wording.ts';

export interface SchemaChange {
  /** `data.customer.name`, `data.lines[]`, `data.prices.*` for further properties. */
  readonly path: string;
  readonly change: 'added' | 'removed' | 'changed';
  /** The schemas of the field, where there is one. */
  readonly before?: JsonSchema;
  readonly after?: JsonSchema;
  /** A line that says all: `data.customer: string, was an object`. */
  readonly text: string;
}

/** In the order of the fields; empty for schemas of the same fingerprint, and for no others. */
export function schemaChanges(before: JsonSchema, after: JsonSchema): readonly SchemaChange[] {
  if (fingerprintOfSchema(before) === fingerprintOfSchema(after)) return [];
  const nodes = new Nodes();
  const was = new SchemaDocument(before, nodes);
  const is = new SchemaDocument(after, nodes);
  const whole = { path: 'data', change: 'changed', before, after } as const;
  if (was.faults.length + is.faults.length > 0)
    return [{ ...whole, text: 'data: changed, and not both are JSON Schemas that can be read' }];
  const changes = [...new Changes().between('data', was.root, is.root)];
  const distinct = [...new Map(changes.map((change) => [change.text, change])).values()];
  return distinct.length > 0 ? distinct : [{ ...whole, text: 'data: said in other words' }];
}

const anything: SchemaView = {
  kinds: undefined,
  isInteger: false,
  values: undefined,
  properties: new Map(),
  required: new Set(),
  rest: undefined,
  places: [],
  items: undefined,
  alternatives: [],
  facets: new Map(),
  others: new Map(),
};

/** A field of which both schemas say something. */
interface Field {
  readonly path: string;
  readonly was: SchemaView;
  readonly is: SchemaView;
  readonly schemas: Pick<SchemaChange, 'before' | 'after'>;
}

/** Where fields refer to the same schemas again and again, the first ones have to do. */
const looksMax = 10_000;

class Changes {
  /** Pairs that are being looked at: references may lead back to them. */
  readonly #open = new Set<string>();
  #looks = 0;

  /** @param before undefined for what any value may be. */
  *between(path: string, before: Node | undefined, after: Node | undefined): Generator<SchemaChange> {
    const pair = `${before?.id} ${after?.id}`;
    if (this.#open.has(pair) || ++this.#looks > looksMax) return;
    this.#open.add(pair);
    const field: Field = {
      path,
      was: before === undefined ? anything : viewOf(before),
      is: after === undefined ? anything : viewOf(after),
      schemas: { ...(before && { before: before.schema }), ...(after && { after: after.schema }) },
    };
    const texts = kindChange(field);
    if (texts.length === 0) {
      texts.push(...facetChanges(field));
      yield* this.#properties(field);
      yield* this.#items(field);
      yield* this.#alternatives(field);
    }
    for (const text of texts) yield changed(field, text);
    this.#open.delete(pair);
  }

  *#properties({ path, was, is, schemas }: Field): Generator<SchemaChange> {
    for (const [name, before] of was.properties) {
      const at = path + pathStep(name);
      const after = is.properties.get(name);
      const wasRequired = was.required.has(name);
      if (after === undefined) {
        const text = `${at}: removed, was ${need(wasRequired)}: ${viewText(viewOf(before))}`;
        yield { path: at, change: 'removed', before: before.schema, text };
        continue;
      }
      const isRequired = is.required.has(name);
      if (wasRequired !== isRequired) {
        const text = `${at}: ${need(isRequired)}, was ${need(wasRequired)}`;
        yield { path: at, change: 'changed', before: before.schema, after: after.schema, text };
      }
      yield* this.between(at, before, after);
    }
    for (const [name, after] of is.properties) {
      if (was.properties.has(name)) continue;
      const at = path + pathStep(name);
      const text = `${at}: added, ${need(is.required.has(name))}: ${viewText(viewOf(after))}`;
      yield { path: at, change: 'added', after: after.schema, text };
    }
    for (const name of new Set([...was.required, ...is.required])) {
      if (was.properties.has(name) || is.properties.has(name) || was.required.has(name) === is.required.has(name))
        continue;
      const text = `${path}${pathStep(name)}: ${need(is.required.has(name))}, was ${need(was.required.has(name))}`;
      yield { path: path + pathStep(name), change: 'changed', ...schemas, text };
    }
    yield* this.#rest({ path, was, is, schemas });
  }

  /** Further properties. */
  *#rest(field: Field): Generator<SchemaChange> {
    const { was, is } = field;
    const isRefused = is.rest?.isNothing ?? false;
    if ((was.rest?.isNothing ?? false) === isRefused) {
      if (!isRefused) yield* this.between(`${field.path}.*`, was.rest, is.rest);
      return;
    }
    const now = isRefused ? 'refused' : 'taken';
    yield changed(field, `further properties are ${now}, were ${isRefused ? 'taken' : 'refused'}`);
  }

  *#items({ path, was, is }: Field): Generator<SchemaChange> {
    const places = Math.max(was.places.length, is.places.length);
    for (let index = 0; index < places; index++)
      yield* this.between(`${path}[${index}]`, was.places[index] ?? was.items, is.places[index] ?? is.items);
    yield* this.between(`${path}[]`, was.items, is.items);
  }

  *#alternatives(field: Field): Generator<SchemaChange> {
    const { path, was, is } = field;
    const pairs = paired(was.alternatives, is.alternatives);
    for (const { tag, before, after } of pairs) {
      if (before !== undefined && after !== undefined) {
        for (const change of this.between(path, before, after))
          yield tag === undefined ? change : { ...change, text: `${change.text} (where ${tag})` };
        continue;
      }
      const of = before ?? after;
      const what = tag === undefined ? viewText(viewOf(of as Node)) : `where ${tag}`;
      const how = before === undefined ? 'added' : 'removed';
      yield changed(field, `alternative ${how}: ${what}`);
    }
  }
}

function changed({ path, schemas }: Field, text: string): SchemaChange {
  return { path, change: 'changed', ...schemas, text: `${path}: ${text}` };
}

function need(isRequired: boolean): string {
  return isRequired ? 'required' : 'optional';
}

/** What it is; and which values, where these are all. */
function kindChange({ was, is }: Field): string[] {
  if (was.values !== undefined && is.values !== undefined) {
    const { values: before } = was;
    const { values: after } = is;
    const added = after.filter((value) => !has(before, value));
    const removed = before.filter((value) => !has(after, value));
    if (removed.length === before.length && added.length > 0)
      return [`${valuesText(after)}, was ${valuesText(before)}`];
    return [
      ...(added.length > 0 ? [`${valuesText(added)} added`] : []),
      ...(removed.length > 0 ? [`${valuesText(removed)} removed`] : []),
    ];
  }
  const [now, before] = [viewText(is, true), viewText(was)];
  const isAlternative = was.alternatives.length > 0 && is.alternatives.length > 0;
  return viewText(is) === before || isAlternative ? [] : [`${now}, was ${before}`];
}

function facetChanges({ was, is }: Field): readonly string[] {
  const facets = new Set([...was.facets.keys(), ...is.facets.keys()]);
  const texts = [...facets]
    .filter((facet) => was.facets.get(facet) !== is.facets.get(facet))
    .map((facet) => `${facet} ${is.facets.get(facet) ?? 'none'}, was ${was.facets.get(facet) ?? 'none'}`);
  const others = [...new Set([...was.others.keys(), ...is.others.keys()])].filter(
    (keyword) => was.others.get(keyword) !== is.others.get(keyword),
  );
  return others.length === 0 ? texts : [...texts, `changed in ${others.join(', ')}`];
}

interface Pair {
  /** `kind is "card"`. */
  readonly tag?: string | undefined;
  readonly before?: Node | undefined;
  readonly after?: Node | undefined;
}

/** Alternatives that are the same one: by a property with a value of its own, by what they say, or because they are what is left. */
function paired(before: readonly Node[], after: readonly Node[]): readonly Pair[] {
  const keyed = (nodes: readonly Node[]): Map<string, Node> =>
    new Map(nodes.map((node) => [tagOf(node) ?? `alike ${node.alike}`, node]));
  const was = keyed(before);
  const is = keyed(after);
  const pairs: Pair[] = [];
  const left = new Map(is);
  const gone: [key: string, node: Node][] = [];
  for (const [key, node] of was) {
    const same = left.get(key);
    if (same === undefined) gone.push([key, node]);
    else pairs.push({ tag: tagOf(node), before: node, after: same });
    left.delete(key);
  }
  const [only, ...others] = left.values();
  const [[, lost] = [], ...more] = gone;
  if (only && lost && others.length + more.length === 0 && tagOf(only) === undefined && tagOf(lost) === undefined)
    return [...pairs, { before: lost, after: only }];
  return [
    ...pairs,
    ...gone.map(([, node]) => ({ tag: tagOf(node), before: node })),
    ...[...left.values()].map((node) => ({ tag: tagOf(node), after: node })),
  ];
}

function tagOf(node: Node): string | undefined {
  const { properties, required } = viewOf(node);
  for (const [name, property] of properties) {
    const { values } = viewOf(property);
    const [value] = values ?? [];
    if (required.has(name) && values?.length === 1 && value !== undefined) return `${name} is ${valueText(value)}`;
  }
  return undefined;
}
