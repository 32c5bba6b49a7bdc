/** Whether a schema takes a value: a validator that knows what it does not know. */
import type { Json } from '../event/json.ts';
import { isMultiple } from './decimal.ts';
import { keyOf, kindOf, regExpOf, schemaOfPlace, schemasOfName } from './node.ts';
import type { Node } from './node.ts';

/** Undefined where it cannot be told. */
export type Answer = boolean | undefined;

/** @param step is called for each schema that is looked at, and may throw. */
export function takes(node: Node, value: Json, step: () => void, depth = 0): Answer {
  step();
  if (node.isAnything) return true;
  if (node.isNothing) return false;
  // References in a circle.
  if (depth > depthMax) return undefined;
  const ask = (other: Node, of: Json = value): Answer => takes(other, of, step, depth + 1);
  return every([
    () => takesPlain(node, value),
    () => (node.unknown.length > 0 ? undefined : true),
    () => takesParts(node, value, ask),
    () => (node.target === undefined ? true : ask(node.target)),
    () => every((node.allOf ?? []).map((part) => () => ask(part))),
    () => (node.anyOf === undefined ? true : some(node.anyOf.map((part) => () => ask(part)))),
    () => (node.oneOf === undefined ? true : one(node.oneOf.map((part) => ask(part)))),
    () => (node.not === undefined ? true : negated(ask(node.not))),
    () => takesConditional(node, ask),
  ]);
}

const depthMax = 200;

type Ask = (node: Node, value?: Json) => Answer;

function every(answers: readonly (() => Answer)[]): Answer {
  let all: Answer = true;
  for (const answer of answers) {
    const told = answer();
    if (told === false) return false;
    all = told === undefined ? undefined : all;
  }
  return all;
}

function some(answers: readonly (() => Answer)[]): Answer {
  return negated(every(answers.map((answer) => () => negated(answer()))));
}

function one(answers: readonly Answer[]): Answer {
  const taking = answers.filter((answer) => answer === true).length;
  if (taking > 1) return false;
  return answers.includes(undefined) ? undefined : taking === 1;
}

function negated(answer: Answer): Answer {
  return answer === undefined ? undefined : !answer;
}

function takesConditional(node: Node, ask: Ask): Answer {
  if (node.if === undefined) return true;
  const branch = (taken: Node | undefined) => (): Answer => (taken === undefined ? true : ask(taken));
  const holds = ask(node.if);
  if (holds === undefined) {
    const both = [branch(node.then)(), branch(node.else)()];
    return both.every((answer) => answer === both[0]) ? both[0] : undefined;
  }
  return branch(holds ? node.then : node.else)();
}

/** What is not about its parts. */
function takesPlain(node: Node, value: Json): Answer {
  if (node.kinds !== undefined && !node.kinds.has(kindOf(value))) return false;
  if (node.values !== undefined) {
    const key = keyOf(value);
    if (!node.values.some((other) => keyOf(other) === key)) return false;
  }
  if (typeof value === 'number') return takesNumber(node, value);
  return typeof value === 'string' ? takesText(node, value) : true;
}

function takesNumber(node: Node, value: number): boolean {
  return (
    (!node.isInteger || Number.isInteger(value)) &&
    (node.minimum === undefined || value >= node.minimum) &&
    (node.maximum === undefined || value <= node.maximum) &&
    (node.exclusiveMinimum === undefined || value > node.exclusiveMinimum) &&
    (node.exclusiveMaximum === undefined || value < node.exclusiveMaximum) &&
    (node.multipleOf === undefined || isMultiple(value, node.multipleOf))
  );
}

function takesText(node: Node, value: string): Answer {
  if (!isWithin([...value].length, node.minLength, node.maxLength)) return false;
  if (node.pattern !== undefined && !(regExpOf(node.pattern)?.test(value) ?? true)) return false;
  // What a format takes, each library says otherwise.
  return node.format === undefined ? true : undefined;
}

function isWithin(count: number, min = 0, max = Infinity): boolean {
  return count >= min && count <= max;
}

function takesParts(node: Node, value: Json, ask: Ask): Answer {
  if (Array.isArray(value)) return takesItems(node, value as readonly Json[], ask);
  if (typeof value !== 'object' || value === null) return true;
  return takesMembers(node, value as { readonly [key: string]: Json }, ask);
}

function takesItems(node: Node, items: readonly Json[], ask: Ask): Answer {
  if (!isWithin(items.length, node.minItems, node.maxItems)) return false;
  if (node.uniqueItems && new Set(items.map(keyOf)).size < items.length) return false;
  return every([
    ...items.map((item, index) => () => {
      const schema = schemaOfPlace(node, index);
      return schema === undefined ? true : ask(schema, item);
    }),
    () => takesContained(node, items, ask),
  ]);
}

function takesContained({ contains, minContains, maxContains }: Node, items: readonly Json[], ask: Ask): Answer {
  if (contains === undefined) return true;
  const answers = items.map((item) => ask(contains, item));
  const sure = answers.filter((answer) => answer === true).length;
  const possible = answers.filter((answer) => answer !== false).length;
  const isSure = isWithin(sure, minContains ?? 1, maxContains) && isWithin(possible, minContains ?? 1, maxContains);
  if (isSure) return true;
  return possible < (minContains ?? 1) || sure > (maxContains ?? Infinity) ? false : undefined;
}

function takesMembers(node: Node, members: { readonly [key: string]: Json }, ask: Ask): Answer {
  const names = Object.keys(members);
  if (!isWithin(names.length, node.minProperties, node.maxProperties)) return false;
  const isThere = (name: string): boolean => Object.hasOwn(members, name);
  if (!(node.required ?? []).every(isThere)) return false;
  for (const [name, others] of node.dependentRequired ?? []) if (isThere(name) && !others.every(isThere)) return false;
  const { propertyNames } = node;
  return every([
    ...names.flatMap((name) => schemasOfName(node, name).map((schema) => () => ask(schema, members[name] as Json))),
    ...names.map((name) => () => (propertyNames === undefined ? true : ask(propertyNames, name))),
    ...[...(node.dependentSchemas ?? [])].map(
      ([name, schema]) =>
        () =>
          isThere(name) ? ask(schema) : true,
    ),
  ]);
}
