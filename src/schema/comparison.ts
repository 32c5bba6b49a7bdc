/**
 * Whether a schema takes all that another one allows: a proof by rules, one for each keyword. Sound: where no rule applies, there is a problem.
 * After Habib, Shinnar, Hirzel, Pradel: Finding Data Compatibility Bugs with JSON Subschema Checks (ISSTA 2021), but without normalising both
 * sides first, so that problems are told in the words of the schemas; references in circles are followed as types are: Amadio, Cardelli:
 * Subtyping Recursive Types (TOPLAS 1993).
 */
import { casesOf } from './case.ts';
import type { Case } from './case.ts';
import { possibleKinds } from './emptiness.ts';
import { checkLists } from './lists.ts';
import type { Node } from './node.ts';
import { checkObjects } from './objects.ts';
import { problem, untold } from './proof.ts';
import type { Problems, Proof } from './proof.ts';
import type { Nodes } from './read-schema.ts';
import { checkKinds, checkNumbers, checkTexts, checkValues } from './scalars.ts';
import { checkConditional, checkNot, checkUnion } from './unions.ts';
import { caseText, nodeText } from './wording.ts';

/** Thrown where a comparison takes too long, or goes too deep. */
export class TooLarge extends Error {}

const stepsMax = 200_000;
/** A level takes some fifteen calls. */
const nestedMax = 250;
/** Levels that are looked at to see whether there can be a value. */
const emptinessMax = 40;

export class Comparison implements Proof {
  readonly isOnlyDeclared: boolean;
  readonly #nodes: Nodes;
  #steps = 0;
  /** Comparisons that go on, with how many parts deep they began. */
  readonly #open = new Map<string, number>();
  /** Parts of the value deep. */
  #depth = 0;
  readonly #known = new Map<string, Problems>();
  /** Comparisons that have turned out well, in order: what was found while another one was taken for granted falls with it. */
  readonly #proven: string[] = [];
  readonly #empty = new Map<string, boolean>();
  #nested = 0;
  #emptiness = 0;

  constructor(nodes: Nodes, isOnlyDeclared: boolean) {
    this.#nodes = nodes;
    this.isOnlyDeclared = isOnlyDeclared;
  }

  readonly step = (): void => {
    if (++this.#steps > stepsMax) throw new TooLarge();
  };

  made(key: string, restricting: Partial<Node>): Node {
    return this.#nodes.made(key, restricting);
  }

  isEmpty(written: readonly Node[]): boolean {
    const key = keyOfNodes(written);
    const known = this.#empty.get(key);
    if (known !== undefined) return known;
    if (this.#emptiness > emptinessMax) return false;
    this.#emptiness++;
    // While it is looked for, it is not known.
    this.#empty.set(key, false);
    const empty = casesOf(written, this).every((one) => possibleKinds(one, this).length === 0);
    this.#empty.set(key, empty);
    this.#emptiness--;
    return empty;
  }

  checkPart(step: string, written: readonly Node[], reader: Node): Problems {
    this.#depth++;
    const problems = this.check(written, reader);
    this.#depth--;
    return problems.length === 0 || step === ''
      ? problems
      : problems.map(({ path, reason }) => ({ path: step + path, reason }));
  }

  check(written: readonly Node[], reader: Node): Problems {
    this.step();
    if (reader.isAnything) return [];
    const key = `${keyOfNodes(written)}>${reader.id}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const began = this.#open.get(key);
    if (began !== undefined) {
      // By induction over the depth of values; without going deeper, nothing would be proven.
      return began < this.#depth ? [] : untold('a schema refers to itself, and says nothing else');
    }
    const provenBefore = this.#proven.length;
    this.#open.set(key, this.#depth);
    if (++this.#nested > nestedMax) throw new TooLarge();
    const problems = distinct(casesOf(written, this).flatMap((one) => this.#checkCase(one, reader)));
    this.#nested--;
    this.#open.delete(key);
    if (problems.length > 0) for (const other of this.#proven.splice(provenBefore)) this.#known.delete(other);
    else this.#proven.push(key);
    this.#known.set(key, problems);
    return problems;
  }

  #checkCase(written: Case, reader: Node): Problems {
    const problems = this.#problemsOf(written, reader);
    if (problems.length === 0 || written.nodes.length > 0) return problems;
    return problem(`any value may come, only ${nodeText(reader)} is taken`);
  }

  #problemsOf(written: Case, reader: Node): Problems {
    if (written.says(reader)) return [];
    const kinds = possibleKinds(written, this);
    if (kinds.length === 0) return [];
    if (written.values !== undefined) return checkValues(written.values, reader, this);
    if (reader.isNothing) return problem(`${caseText(written)} may come, and nothing is taken`);
    const wrong = checkKinds(written, kinds, reader);
    if (wrong.length > 0) return wrong;
    const here = (kind: (typeof kinds)[number], check: () => Problems): Problems =>
      kinds.includes(kind) ? check() : [];
    return [
      ...here('number', () => checkNumbers(written, reader)),
      ...here('string', () => checkTexts(written, reader)),
      ...here('array', () => checkLists(written, reader, this)),
      ...here('object', () => checkObjects(written, reader, this)),
      ...this.#checkCombined(written, kinds, reader),
    ];
  }

  #checkCombined(written: Case, kinds: ReturnType<typeof possibleKinds>, reader: Node): Problems {
    const { nodes } = written;
    const { target, allOf = [], anyOf, oneOf, not } = reader;
    return [
      ...(target === undefined ? [] : this.check(nodes, target)),
      ...allOf.flatMap((part) => this.check(nodes, part)),
      ...(anyOf === undefined ? [] : checkUnion(written, kinds, this.#only(reader, { anyOf }), this)),
      ...(oneOf === undefined ? [] : checkUnion(written, kinds, this.#only(reader, { oneOf }), this)),
      ...(not === undefined ? [] : checkNot(written, not, this)),
      ...checkConditional(written, reader, this),
      ...reader.unknown.flatMap((what) => untold(`${what} is not understood`)),
    ];
  }

  /** The alternatives of a schema, without what stands beside them. */
  #only({ id }: Node, union: Pick<Node, 'anyOf' | 'oneOf'>): Node {
    return this.made(`${Object.keys(union)[0]} of ${id}`, union);
  }
}

function keyOfNodes(nodes: readonly Node[]): string {
  const [first, second] = nodes;
  if (second === undefined) return String(first?.id ?? '');
  return [...new Set(nodes.map(({ id }) => id))].sort((one, other) => one - other).join();
}

function distinct(problems: Problems): Problems {
  if (problems.length < 2) return problems;
  return [...new Map(problems.map((one) => [`${one.path} ${one.reason}`, one])).values()];
}
