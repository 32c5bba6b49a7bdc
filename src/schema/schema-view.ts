/** What a schema says of one field, put together for people: what it refers to and what all holds are one, null is a kind among others. */
import type { Json } from '../event/json.ts';
import { bounds, counts, keyOf, kindOf, kinds } from './node.ts';
import type { Kind, Node } from './node.ts';
import { alternativesText, valuesText } from './wording.ts';

export interface SchemaView {
  /** Undefined where any kind is taken, or alternatives say which. */
  readonly kinds: ReadonlySet<Kind> | undefined;
  readonly isInteger: boolean;
  readonly values: readonly Json[] | undefined;
  readonly properties: ReadonlyMap<string, Node>;
  readonly required: ReadonlySet<string>;
  /** What other properties are under. */
  readonly rest: Node | undefined;
  readonly places: readonly Node[];
  readonly items: Node | undefined;
  /** Several schemas of which one holds. */
  readonly alternatives: readonly Node[];
  /** What is said in a number or a word, by keyword. */
  readonly facets: ReadonlyMap<string, string>;
  /** What is said in further schemas, by keyword; equal where it says the same. */
  readonly others: ReadonlyMap<string, string>;
}

export function viewOf(node: Node): SchemaView {
  const { nodes, alternatives, isNullable } = together(node);
  const lists = nodes.flatMap(({ values }) => (values === undefined ? [] : [values]));
  const [values] = lists.map((list) => list.filter((value) => lists.every((other) => has(other, value))));
  const found = kindsOf(nodes, values);
  const first = <Key extends keyof Node>(key: Key): Node[Key] | undefined =>
    nodes.find((one) => one[key] !== undefined)?.[key];
  return {
    kinds: isNullable && found !== undefined ? new Set([...found, 'null']) : found,
    isInteger: nodes.some(({ isInteger }) => isInteger),
    values: isNullable && values !== undefined ? [...values, null] : values,
    properties: new Map(nodes.flatMap(({ properties }) => [...(properties ?? [])])),
    required: new Set(nodes.flatMap(({ required }) => required ?? [])),
    rest: first('additionalProperties'),
    places: first('prefixItems') ?? [],
    items: first('items'),
    alternatives,
    facets: new Map([
      ...facetsOf(nodes),
      ...(isNullable && alternatives.length > 0 ? [['null', 'taken'] as const] : []),
    ]),
    others: othersOf(nodes),
  };
}

/** All that holds. Where there is but one alternative beside null, that one does. */
function together(node: Node): { nodes: readonly Node[]; alternatives: readonly Node[]; isNullable: boolean } {
  const nodes = new Set<Node>();
  const rest = [node];
  let alternatives: readonly Node[] = [];
  let isNullable = false;
  for (let next = rest.pop(); next !== undefined; next = rest.pop()) {
    if (nodes.has(next)) continue;
    nodes.add(next);
    if (next.target !== undefined) rest.push(next.target);
    rest.push(...(next.allOf ?? []));
    const branches = next.anyOf ?? next.oneOf;
    if (branches === undefined) continue;
    const others = branches.filter((branch) => !isNull(branch));
    const [only] = others;
    isNullable ||= others.length < branches.length;
    if (only !== undefined && others.length === 1) rest.push(only);
    else alternatives = [...alternatives, ...others];
  }
  return { nodes: [...nodes], alternatives, isNullable };
}

function isNull({ kinds: of, values }: Node): boolean {
  return (of?.size === 1 && of.has('null')) || (values?.length === 1 && values[0] === null);
}

function kindsOf(nodes: readonly Node[], values: readonly Json[] | undefined): ReadonlySet<Kind> | undefined {
  if (values !== undefined) return new Set(values.map(kindOf));
  if (nodes.some(({ isNothing }) => isNothing)) return new Set();
  const lists = nodes.flatMap((node) => (node.kinds === undefined ? [] : [node.kinds]));
  return lists.length === 0 ? undefined : new Set(kinds.filter((kind) => lists.every((list) => list.has(kind))));
}

function facetsOf(nodes: readonly Node[]): ReadonlyMap<string, string> {
  const facets = new Map<string, string[]>();
  for (const node of nodes) {
    for (const keyword of [...bounds, ...counts, 'pattern', 'format', 'uniqueItems'] as const) {
      const value = node[keyword];
      if (value === undefined || value === false) continue;
      facets.set(keyword, [...(facets.get(keyword) ?? []), String(value)]);
    }
  }
  return new Map([...facets].map(([keyword, values]) => [keyword, [...new Set(values)].sort().join(' and ')]));
}

function othersOf(nodes: readonly Node[]): ReadonlyMap<string, string> {
  const others: [keyword: string, alike: string][] = [];
  for (const node of nodes) {
    for (const keyword of ['not', 'if', 'then', 'else', 'contains', 'propertyNames'] as const) {
      const schema = node[keyword];
      if (schema !== undefined) others.push([keyword, schema.alike]);
    }
    for (const keyword of ['patternProperties', 'dependentSchemas'] as const)
      for (const [name, { alike }] of node[keyword] ?? []) others.push([`${keyword} ${name}`, alike]);
    for (const [name, names] of node.dependentRequired ?? [])
      others.push([`dependentRequired ${name}`, [...names].sort().join()]);
    for (const keyword of node.unknown) others.push([keyword, node.alike]);
  }
  return new Map(others);
}

export function has(values: readonly Json[], value: Json): boolean {
  return values.some((other) => keyOf(other) === keyOf(value));
}

const words: Readonly<Record<Kind, readonly [article: string, word: string]>> = {
  object: ['an ', 'object'],
  array: ['a ', 'list'],
  string: ['a ', 'string'],
  number: ['a ', 'number'],
  boolean: ['a ', 'boolean'],
  null: ['', 'null'],
};

/** `a string or null`; without its article, `string or null`. */
export function viewText({ kinds: of, isInteger, values, alternatives }: SchemaView, isBare = false): string {
  if (values !== undefined) return valuesText(values);
  if (of === undefined) return alternatives.length > 0 ? `one of ${alternatives.length} alternatives` : 'any value';
  const all = (Object.keys(words) as Kind[]).filter((kind) => of.has(kind));
  return alternativesText(
    all.map((kind) => {
      const [article, word] = kind === 'number' && isInteger ? ['an ', 'integer'] : words[kind];
      return isBare ? word : article + word;
    }),
  );
}
