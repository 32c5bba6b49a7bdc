/** Comparing kinds, single values, numbers and texts. */
import type { Case } from './case.ts';
import { isMultiple } from './decimal.ts';
import type { Kind, Node } from './node.ts';
import { problem, untold } from './proof.ts';
import type { Problems, Proof } from './proof.ts';
import { outside } from './ranges.ts';
import { takes } from './takes.ts';
import { kindsText, nodeText, valuesText, valueText } from './wording.ts';
import type { Json } from '../event/json.ts';

/** What is written is one of these values. */
export function checkValues(values: readonly Json[], reader: Node, proof: Proof): Problems {
  const answers = values.map((value) => [value, takes(reader, value, proof.step)] as const);
  const refused = answers.filter(([, answer]) => answer === false).map(([value]) => value);
  const unsure = answers.filter(([, answer]) => answer === undefined).map(([value]) => value);
  return [
    ...(refused.length === 0
      ? []
      : problem(`${valuesText(refused)} may come, and is not taken: ${nodeText(reader)} is`)),
    ...(unsure.length === 0 ? [] : untold(`whether ${valuesText(unsure)} is taken`)),
  ];
}

/** @param possible kinds of what is written. */
export function checkKinds(written: Case, possible: readonly Kind[], reader: Node): Problems {
  const { kinds, values } = reader;
  const refused = kinds === undefined ? [] : possible.filter((kind) => !kinds.has(kind));
  if (refused.length > 0)
    return problem(`${kindsText(refused, written.isInteger)} may come, only ${nodeText(reader)} is taken`);
  if (values === undefined) return [];
  return problem(`${kindsText(possible, written.isInteger)} may come, only ${valuesText(values)} is taken`);
}

export function checkNumbers(written: Case, reader: Node): Problems {
  const units = [...written.nodes.flatMap(({ multipleOf }) => multipleOf ?? []), ...(written.isInteger ? [1] : [])];
  const isOf = (unit: number): boolean => units.some((of) => isMultiple(of, unit));
  // That they lie outside of the safe integers, goes without saying.
  if (reader.isInteger && !isOf(1)) return problem('a number may come, only an integer is taken');
  const { multipleOf } = reader;
  const kind = written.isInteger ? 'an integer' : 'a number';
  return [
    ...outside(written, reader).flatMap((ends) => problem(`${ends.written} may come, only ${ends.read} is taken`)),
    ...(multipleOf === undefined || isOf(multipleOf)
      ? []
      : problem(`${kind} may come, only a multiple of ${multipleOf} is taken`)),
  ];
}

export function checkTexts(written: Case, { minLength = 0, maxLength = Infinity, pattern, format }: Node): Problems {
  const least = written.most('minLength');
  const most = written.least('maxLength');
  const problems: Problems[number][] = [];
  if (least < minLength) {
    const text = least === 0 ? 'a text of any length' : `a text of ${least} characters`;
    problems.push(...problem(`${text} may come, only one of at least ${minLength} characters is taken`));
  }
  if (most > maxLength) {
    const text = most === Infinity ? 'a text of any length' : `a text of ${most} characters`;
    problems.push(...problem(`${text} may come, only one of at most ${maxLength} characters is taken`));
  }
  const patterns = written.nodes.flatMap((node) => node.pattern ?? []);
  const formats = written.nodes.flatMap((node) => node.format ?? []);
  if (format !== undefined && !formats.includes(format)) {
    const known = [...formats.map((other) => `of format ${other}`), ...patterns.map(matching)];
    problems.push(...unless(known, `of format ${format}`));
  }
  if (pattern !== undefined && !patterns.includes(pattern)) {
    const known = [...patterns.map(matching), ...formats.map((other) => `of format ${other}`)];
    problems.push(...unless(known, matching(pattern)));
  }
  return problems;
}

function matching(pattern: string): string {
  return `that matches ${valueText(pattern)}`;
}

/** Whether one pattern takes all that another one takes, is not decided. */
function unless(known: readonly string[], wanted: string): Problems {
  const [first] = known;
  if (first === undefined) return problem(`any text may come, only one ${wanted} is taken`);
  return untold(`a text ${first} comes, only one ${wanted} is taken`);
}
