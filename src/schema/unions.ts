/** Comparing with alternatives, and with what holds on a condition. */
import type { Json } from '../event/json.ts';
import { pathStep } from '../event/json.ts';
import type { Case } from './case.ts';
import { casesOf, ofKind } from './case.ts';
import { schemasOfProperty } from './members.ts';
import { keyOf } from './node.ts';
import type { Kind, Node } from './node.ts';
import { problem, untold } from './proof.ts';
import type { Problems, Proof } from './proof.ts';
import { alternativesText, kindsText, nodeText, valuesText } from './wording.ts';

/**
 * Whether one alternative takes everything; else the case is told apart, by kind and by properties that have few values.
 * @param possible kinds of what is written. @param union the schema that consists of the alternatives and of nothing else.
 */
export function checkUnion(written: Case, possible: readonly Kind[], union: Node, proof: Proof): Problems {
  const branches = union.anyOf ?? union.oneOf ?? [];
  const isExclusive = union.oneOf !== undefined;
  const tags = tagsOf(written, proof);
  const candidates = branches.filter(
    (branch) => otherwise(branch, tags) === undefined && !proof.isEmpty([...written.nodes, branch]),
  );
  const found = candidates.map((branch) => proof.check(written.nodes, branch));
  const isTaken = found.some((problems) => problems.length === 0);
  if (isTaken && (!isExclusive || candidates.length === 1)) return [];
  const parts = partsOf(written, possible, candidates, proof);
  if (parts !== undefined) return parts.flatMap((part) => proof.check([...written.nodes, part], union));
  if (candidates.length === 0) return noneTakes(written, possible, branches, proof);
  if (isTaken) return untold('more than one of the alternatives may take it, and only one must');
  if (candidates.length === 1) {
    const [tag] = branches.flatMap((branch) => otherwise(branch, tags) ?? []);
    return where(tag, fewest(found));
  }
  return fewest(found).map(({ path, reason }) => ({
    path,
    reason: `none of ${candidates.length} alternatives takes it all, of the next one: ${reason}`,
  }));
}

/** A property that is always there and has few values. */
interface Tag {
  readonly name: string;
  readonly values: readonly Json[];
}

function tagsOf(written: Case, proof: Proof): readonly Tag[] {
  if (written.kinds.size > 1 || !written.kinds.has('object')) return [];
  return [...written.required].flatMap((name) => {
    const values = fewValues(schemasOfProperty(written, name, proof), proof);
    return values === undefined ? [] : { name, values };
  });
}

/** The tag for whose other values a schema is: so alternatives mostly exclude each other, and it is soon seen. */
function otherwise(branch: Node, tags: readonly Tag[]): Tag | undefined {
  const { properties } = branch.target ?? branch;
  return tags.find(({ name, values }) => {
    const taken = properties?.get(name)?.values;
    return taken !== undefined && !taken.some((value) => has(values, value));
  });
}

function where(tag: Tag | undefined, problems: Problems): Problems {
  if (tag === undefined) return problems;
  return problems.map(({ path, reason }) => ({
    path,
    reason: `where ${tag.name} is ${valuesText(tag.values)}, ${reason}`,
  }));
}

/** What holds in each part of a case; undefined if it is not to be told apart further. */
function partsOf(
  written: Case,
  possible: readonly Kind[],
  candidates: readonly Node[],
  proof: Proof,
): readonly Node[] | undefined {
  if (candidates.length < 2 && possible.length < 2) return undefined;
  if (possible.length > 1) return possible.map((kind) => ofKind(kind, proof));
  for (const name of written.required) {
    const values = fewValues(schemasOfProperty(written, name, proof), proof);
    if (values === undefined || values.length < 2 || !candidates.some((branch) => tells(branch, name, proof))) continue;
    return values.map((value) => {
      const key = keyOf(value);
      const property = proof.made(`value ${key}`, { values: [value] });
      return proof.made(`${JSON.stringify(name)} ${key}`, { properties: new Map([[name, property]]) });
    });
  }
  return undefined;
}

const valuesMax = 64;

/** All values of a property, if they can be named. */
function fewValues(schemas: readonly Node[], proof: Proof): readonly Json[] | undefined {
  const values = new Map<string, Json>();
  for (const written of casesOf(schemas, proof)) {
    if (written.values === undefined || written.values.length > valuesMax) return undefined;
    for (const value of written.values) values.set(keyOf(value), value);
  }
  return values.size > valuesMax ? undefined : [...values.values()];
}

/** Whether the values of a property have to do with whether a schema takes an object. */
function tells(branch: Node, name: string, proof: Proof): boolean {
  return casesOf([branch], proof).some(({ nodes }) => nodes.some(({ properties }) => properties?.has(name)));
}

/** For which values of a property an alternative is, if each names its own. */
interface Discriminator {
  readonly name: string;
  readonly written: readonly Json[];
  readonly read: readonly (readonly Json[])[];
}

function noneTakes(written: Case, possible: readonly Kind[], branches: readonly Node[], proof: Proof): Problems {
  const discriminator = discriminatorOf(written, branches, proof);
  if (discriminator !== undefined) {
    const { name, written: values, read } = discriminator;
    const refused = values.filter((value) => !read.some((taken) => has(taken, value)));
    const only = `only ${valuesText(read.flat())} is taken`;
    if (refused.length > 0) return problem(`${valuesText(refused)} may come, ${only}`, pathStep(name));
    const meant = branches.filter((_, index) => values.some((value) => has(read[index] ?? [], value)));
    return where({ name, values }, fewest(meant.map((branch) => proof.check(written.nodes, branch))));
  }
  const meant = branches.filter((branch) =>
    casesOf([branch], proof).some(({ kinds }) => possible.some((kind) => kinds.has(kind))),
  );
  if (meant.length === 1) return fewest(meant.map((branch) => proof.check(written.nodes, branch)));
  const taken = alternativesText((meant.length > 0 ? meant : branches).map((branch) => nodeText(branch)));
  const what = meant.length > 0 ? 'not all of it is taken by any of the alternatives' : `only ${taken} is taken`;
  return problem(`${kindsText(possible, written.isInteger)} may come, ${what}`);
}

function fewest(found: readonly Problems[]): Problems {
  return [...found].sort((one, other) => one.length - other.length)[0] ?? [];
}

function has(values: readonly Json[], value: Json): boolean {
  return values.some((other) => keyOf(other) === keyOf(value));
}

function discriminatorOf(written: Case, branches: readonly Node[], proof: Proof): Discriminator | undefined {
  for (const name of written.required) {
    const values = fewValues(schemasOfProperty(written, name, proof), proof);
    if (values === undefined) continue;
    const read = branches.map((branch) => valuesTaken(branch, name, proof));
    if (read.some((taken) => (taken?.length ?? 0) > 0) && read.every((taken) => taken !== undefined))
      return { name, written: values, read };
  }
  return undefined;
}

/** The values of a property with which a schema takes objects, if it names them; none if it takes no objects. */
function valuesTaken(branch: Node, name: string, proof: Proof): readonly Json[] | undefined {
  const taken: Json[] = [];
  for (const read of casesOf([branch], proof)) {
    if (!read.kinds.has('object')) continue;
    const values = fewValues(schemasOfProperty(read, name, proof), proof);
    if (values === undefined || !read.required.has(name)) return undefined;
    taken.push(...values);
  }
  return taken;
}

export function checkNot(written: Case, not: Node, proof: Proof): Problems {
  if (proof.isEmpty([...written.nodes, not])) return [];
  return untold(`whether what comes is never ${nodeText(not)}, which is not taken`);
}

export function checkConditional(
  written: Case,
  { if: condition, then: holds, else: holdsNot }: Node,
  proof: Proof,
): Problems {
  if (condition === undefined) return [];
  const check = (branch: Node | undefined): Problems =>
    branch === undefined ? [] : proof.check(written.nodes, branch);
  if (proof.isEmpty([...written.nodes, condition])) return check(holdsNot);
  if (proof.check(written.nodes, condition).length === 0) return check(holds);
  const both = [...check(holds), ...check(holdsNot)];
  return both.length === 0 ? [] : untold('whether what is required on a condition (`if`) holds');
}
