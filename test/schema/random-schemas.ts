/** Random JSON Schemas that have something to do with each other, and random values that have something to do with them. */
import type { Json } from '../../src/event/json.ts';

/** A random integer from 0 to below `count`. */
export type Pick = (count: number) => number;

export type Raw = boolean | { readonly [keyword: string]: Json };
type Keywords = Record<string, Json>;

const names = ['a', 'b', 'c', 'ab'] as const;
const texts = ['', 'a', 'b', 'ab', 'abc', 'bbbb'] as const;
const patterns = ['^a', 'b$', '^[ab]*$'] as const;
const formats = ['even', 'lower'] as const;
const numbers = [-2, -1, 0, 0.5, 1, 1.5, 2, 3, 4, 6] as const;

export const customFormats: Readonly<Record<string, (text: string) => boolean>> = {
  even: (text) => text.length % 2 === 0,
  lower: (text) => !text.includes('abc'),
};

function one<Item>(pick: Pick, items: readonly Item[]): Item {
  return items[pick(items.length)] as Item;
}

/** With `$defs` that may refer to each other, through parts only. */
export function randomSchema(pick: Pick): Raw {
  return withParts(node(pick, 3), { x: part(pick), y: part(pick) });
}

function withParts(schema: Json, $defs: Json): Raw {
  return typeof schema === 'boolean' ? { allOf: [schema], $defs } : { ...(schema as Keywords), $defs };
}

/** What references lead to: says itself what kind it is, so that no reference leads only to itself. */
function part(pick: Pick): Raw {
  const kind = one(pick, ['object', 'array'] as const);
  const inner = kind === 'object' ? objectKeywords(pick, 2) : arrayKeywords(pick, 2);
  return { type: kind, ...inner };
}

function node(pick: Pick, depth: number): Raw {
  const what = pick(depth > 0 ? 20 : 9);
  if (what === 0) return one(pick, [true, true, {}, false]);
  if (what <= 2) return { type: 'string', ...textKeywords(pick) };
  if (what <= 4) return { type: one(pick, ['number', 'integer'] as const), ...numberKeywords(pick) };
  if (what === 5) return { type: one(pick, ['null', 'boolean'] as const) };
  if (what === 6) return { enum: unique(Array.from({ length: 1 + pick(3) }, () => randomValue(pick, 1))) };
  if (what === 7) return { const: randomValue(pick, 1) };
  if (what === 8) return { type: ['string', 'null'], ...textKeywords(pick) };
  if (what <= 12) return { type: 'object', ...objectKeywords(pick, depth) };
  if (what <= 14) return { type: 'array', ...arrayKeywords(pick, depth) };
  if (what === 15) return { anyOf: some(pick, depth) };
  if (what === 16) return pick(2) === 0 ? tagged(pick, depth) : { oneOf: some(pick, depth) };
  if (what === 17) return { allOf: some(pick, depth) };
  if (what === 18) return { $ref: `#/$defs/${one(pick, ['x', 'y'])}` };
  return odd(pick, depth);
}

function some(pick: Pick, depth: number): Json[] {
  return Array.from({ length: 1 + pick(3) }, () => node(pick, depth - 1));
}

function tagged(pick: Pick, depth: number): Raw {
  const branches = texts.slice(1, 2 + pick(3)).map((tag) => ({
    type: 'object',
    properties: { a: { const: tag }, b: node(pick, depth - 1) },
    required: pick(4) === 0 ? ['a', 'b'] : ['a'],
    ...(pick(2) === 0 ? { additionalProperties: false } : {}),
  }));
  return { [one(pick, ['anyOf', 'oneOf'])]: branches };
}

function odd(pick: Pick, depth: number): Raw {
  switch (pick(5)) {
    case 0:
      return { not: node(pick, depth - 1) };
    case 1:
      return Object.fromEntries(['if', 'then', 'else'].map((keyword) => [keyword, node(pick, depth - 1)]));
    case 2:
      return { dependentRequired: { a: ['b'] }, ...objectKeywords(pick, depth - 1) };
    case 3:
      return { dependentSchemas: { a: node(pick, depth - 1) }, ...objectKeywords(pick, depth - 1) };
    default:
      return { properties: { a: true }, unevaluatedProperties: node(pick, depth - 1) };
  }
}

function optional(pick: Pick, all: Keywords, oneIn: number): Keywords {
  return Object.fromEntries(Object.entries(all).filter(() => pick(oneIn) === 0));
}

function textKeywords(pick: Pick): Keywords {
  const all = { minLength: pick(3), maxLength: 1 + pick(4), pattern: one(pick, patterns), format: one(pick, formats) };
  return optional(pick, all, 4);
}

function numberKeywords(pick: Pick): Keywords {
  const all = {
    minimum: one(pick, numbers),
    maximum: one(pick, numbers),
    exclusiveMinimum: one(pick, numbers),
    exclusiveMaximum: one(pick, numbers),
    multipleOf: one(pick, [0.5, 1, 2, 3]),
  };
  return optional(pick, all, 4);
}

function objectKeywords(pick: Pick, depth: number): Keywords {
  const properties = Object.fromEntries(names.filter(() => pick(2) === 0).map((name) => [name, node(pick, depth - 1)]));
  const rare = {
    patternProperties: { [one(pick, patterns)]: node(pick, depth - 1) },
    propertyNames: one<Raw>(pick, [{ enum: ['a', 'b'] }, { pattern: '^a' }, { maxLength: 1 }, { type: 'string' }]),
    minProperties: pick(3),
    maxProperties: pick(4),
  };
  return {
    properties,
    required: names.filter(() => pick(3) === 0),
    ...(pick(2) === 0 ? { additionalProperties: pick(2) === 0 ? false : node(pick, depth - 1) } : {}),
    ...optional(pick, rare, 8),
  };
}

function arrayKeywords(pick: Pick, depth: number): Keywords {
  const rare = {
    prefixItems: some(pick, depth),
    minItems: pick(3),
    maxItems: pick(4),
    uniqueItems: pick(2) === 0,
    contains: node(pick, depth - 1),
    minContains: pick(3),
    maxContains: pick(4),
  };
  return { ...(pick(4) > 0 ? { items: node(pick, depth - 1) } : {}), ...optional(pick, rare, 5) };
}

/** A schema with a change or two: mostly near to it. */
export function mutated(pick: Pick, schema: Raw): Raw {
  let { $defs = {}, ...changed } = schema as Keywords;
  for (let left = pick(3) + 1; left > 0; left--) {
    if (pick(5) === 0) $defs = changedIn(pick, $defs, 1, '$defs');
    else changed = withParts(changedAt(pick, changed, pick(3)), {}) as Keywords;
  }
  return { ...changed, $defs };
}

/** Changed a random way down. */
function changedAt(pick: Pick, schema: Json, depth: number): Json {
  if (typeof schema !== 'object' || schema === null || Array.isArray(schema)) return node(pick, 1);
  const object = schema as Keywords;
  const inner = Object.keys(object).filter((keyword) => typeof object[keyword] === 'object' && !isData.has(keyword));
  if (depth > 0 && inner.length > 0) {
    const keyword = one(pick, inner);
    return { ...object, [keyword]: changedIn(pick, object[keyword] as Json, depth - 1, keyword) };
  }
  return changedHere(pick, object);
}

const isData = new Set(['enum', 'const', 'required', 'type', 'dependentRequired']);
const isMap = new Set(['properties', 'patternProperties', '$defs', 'dependentSchemas']);

function changedIn(pick: Pick, value: Json, depth: number, keyword: string): Json {
  if (Array.isArray(value)) {
    const list = value as readonly Json[];
    const at = pick(list.length + 1);
    if (at === list.length) return [...list, node(pick, 1)];
    return list.map((item: Json, index) => (index === at ? changedAt(pick, item, depth) : item));
  }
  if (!isMap.has(keyword)) return changedAt(pick, value, depth);
  const map = value as Keywords;
  const keys = Object.keys(map);
  const key = keys.length === 0 ? undefined : one(pick, keys);
  if (keyword === '$defs' && key !== undefined)
    return {
      ...map,
      [key]: { ...(part(pick) as Keywords), ...(pick(2) === 0 ? withWider(map[key] as Keywords) : {}) },
    };
  if (key === undefined || pick(6) === 0) return keyword === 'properties' ? { ...map, c: node(pick, 1) } : map;
  if (pick(6) === 0) return Object.fromEntries(Object.entries(map).filter(([name]) => name !== key));
  return { ...map, [key]: changedAt(pick, map[key] as Json, depth) };
}

function changedHere(pick: Pick, schema: Keywords): Json {
  const keywords = Object.keys(schema);
  const without = (keyword: string): Keywords =>
    Object.fromEntries(Object.entries(schema).filter(([other]) => other !== keyword));
  switch (pick(6)) {
    case 0:
    case 1:
      return keywords.length === 0 ? schema : without(one(pick, keywords));
    case 2:
      return withWider(schema);
    case 3:
      return { ...schema, ...(schema['type'] === 'string' ? textKeywords(pick) : numberKeywords(pick)) };
    case 4:
      return { anyOf: [schema, node(pick, 1)] };
    default:
      return { ...schema, ...(schema['type'] === 'array' ? arrayKeywords(pick, 1) : objectKeywords(pick, 1)) };
  }
}

/** Everything a little wider. */
function withWider(schema: Keywords): Keywords {
  const moved = Object.entries(schema).map(([keyword, value]): [string, Json] => {
    if (typeof value === 'number' && /^(min|exclusiveMin)/.test(keyword)) return [keyword, Math.max(0, value - 1)];
    if (typeof value === 'number' && /^(max|exclusiveMax)/.test(keyword)) return [keyword, value + 1];
    if (keyword === 'type' && value === 'integer') return [keyword, 'number'];
    if (keyword === 'required') return [keyword, (value as readonly Json[]).slice(1)];
    return [keyword, value];
  });
  return Object.fromEntries(moved);
}

function randomValue(pick: Pick, depth: number): Json {
  switch (pick(depth > 0 ? 8 : 5)) {
    case 0:
      return one(pick, [null, true, false]);
    case 1:
    case 2:
      return one(pick, numbers);
    case 3:
    case 4:
      return one(pick, texts);
    case 5:
      return Array.from({ length: pick(4) }, () => randomValue(pick, depth - 1));
    default:
      return Object.fromEntries(names.filter(() => pick(2) === 0).map((name) => [name, randomValue(pick, depth - 1)]));
  }
}

/** A value that has a chance to be under a schema. */
export function valueFor(pick: Pick, schema: Json | undefined, root: Raw, depth: number): Json {
  if (typeof schema !== 'object' || schema === null || depth <= 0 || pick(12) === 0) return randomValue(pick, depth);
  const { type, anyOf, oneOf, allOf, $ref, ...rest } = schema as Keywords;
  const again = (other: Json | undefined): Json => valueFor(pick, other, root, depth - 1);
  if (rest['const'] !== undefined) return rest['const'];
  if (rest['enum'] !== undefined) return one(pick, rest['enum'] as readonly Json[]);
  for (const list of [anyOf, oneOf]) if (list !== undefined) return again(one(pick, list as readonly Json[]));
  if (allOf !== undefined) return again(Object.assign({}, ...(allOf as readonly Keywords[])) as Json);
  const name = typeof $ref === 'string' ? ($ref.split('/').pop() ?? '') : undefined;
  if (name !== undefined) return again(((root as Keywords)['$defs'] as Keywords | undefined)?.[name]);
  const kind = Array.isArray(type) ? one(pick, type as readonly Json[]) : type;
  if (kind === 'string') return one(pick, texts);
  if (kind === 'number' || kind === 'integer') return one(pick, numbers);
  if (kind === 'null') return null;
  if (kind === 'boolean') return pick(2) === 0;
  if (kind === 'array') return itemsFor(pick, rest, again);
  return membersFor(pick, rest, again);
}

function itemsFor(pick: Pick, schema: Keywords, again: (schema: Json | undefined) => Json): Json {
  const prefix = (schema['prefixItems'] ?? []) as readonly Json[];
  const length = Math.max(Number(schema['minItems'] ?? 0), pick(4));
  return Array.from({ length }, (_, index) =>
    again(prefix[index] ?? (pick(3) === 0 ? schema['contains'] : schema['items'])),
  );
}

function membersFor(pick: Pick, schema: Keywords, again: (schema: Json | undefined) => Json): Json {
  const properties = (schema['properties'] ?? {}) as Keywords;
  const required = (schema['required'] ?? []) as readonly Json[];
  const isThere = (name: string): boolean => required.includes(name) || pick(3) === 0;
  return Object.fromEntries(
    names.filter(isThere).map((name) => [name, again(properties[name] ?? schema['additionalProperties'])]),
  );
}

function unique(values: readonly Json[]): Json[] {
  return [...new Map(values.map((value) => [JSON.stringify(value), value])).values()];
}
