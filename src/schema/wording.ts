/** Values and schemas in words. */
import type { Json } from '../event/json.ts';
import type { Case } from './case.ts';
import type { Kind, Node } from './node.ts';
import { kinds } from './node.ts';

const kindWords: Readonly<Record<Kind, string>> = {
  null: 'null',
  boolean: 'true or false',
  number: 'a number',
  string: 'a string',
  array: 'a list',
  object: 'an object',
};

/** `"a", "b" or 3`. */
export function valuesText(values: readonly Json[]): string {
  const shown = values.slice(0, shownMax).map(valueText);
  const more = values.length > shownMax ? [`${values.length - shownMax} others`] : [];
  return alternativesText([...shown, ...more]);
}

const shownMax = 8;
const lengthMax = 60;

export function valueText(value: Json): string {
  const text = JSON.stringify(value);
  return text.length > lengthMax ? `${text.slice(0, lengthMax)}…` : text;
}

/** `a, b or c`. */
export function alternativesText(words: readonly string[]): string {
  const distinct = [...new Set(words)];
  const last = distinct.pop() ?? 'nothing';
  return distinct.length === 0 ? last : `${distinct.join(', ')} or ${last}`;
}

/** `a string or null`. */
export function kindsText(of: Iterable<Kind>, isInteger: boolean): string {
  const all = new Set(of);
  if (all.size === kinds.length && !isInteger) return 'any value';
  return alternativesText(
    kinds
      .filter((kind) => all.has(kind))
      .toReversed()
      .map((kind) => (kind === 'number' && isInteger ? 'an integer' : kindWords[kind])),
  );
}

/** What there can be in a case, roughly. */
export function caseText({ values, kinds: possible, isInteger }: Case): string {
  return values === undefined ? kindsText(possible, isInteger) : valuesText(values);
}

/** What a schema takes, roughly. */
export function nodeText(node: Node, depth = 0): string {
  if (node.isNothing) return 'nothing';
  if (node.values !== undefined) return valuesText(node.values);
  if (node.kinds !== undefined) return kindsText(node.kinds, node.isInteger);
  // References in a circle say nothing.
  if (depth > 4) return 'some values';
  if (node.target !== undefined) return nodeText(node.target, depth + 1);
  const branches = node.anyOf ?? node.oneOf;
  if (branches !== undefined) return alternativesText(branches.map((branch) => nodeText(branch, depth + 1)));
  return node.isAnything ? 'any value' : 'some values';
}
