/** What is written, as cases: a value is under one of them at least, and no case has alternatives in it. */
import type { Json } from '../event/json.ts';
import { kinds } from './node.ts';
import type { Kind, Node } from './node.ts';
import type { Proof } from './proof.ts';
import { takes } from './takes.ts';

/** Schemas that all hold. */
export class Case {
  readonly nodes: readonly Node[];
  readonly kinds: ReadonlySet<Kind>;
  readonly isInteger: boolean;
  readonly #step: () => void;
  #alike: ReadonlySet<string> | undefined;
  #values: readonly Json[] | undefined | 'unknown' = 'unknown';
  #required: ReadonlySet<string> | undefined;

  constructor(nodes: readonly Node[], step: () => void) {
    this.nodes = nodes;
    this.kinds = kindsOf(nodes);
    this.isInteger = nodes.some(({ isInteger }) => isInteger);
    this.#step = step;
  }

  /** Whether one of them says what another schema says. */
  says({ alike }: Node): boolean {
    this.#alike ??= new Set(this.nodes.map((node) => node.alike));
    return this.#alike.has(alike);
  }

  /** The only values that there can be; undefined if there are too many to name. */
  get values(): readonly Json[] | undefined {
    if (this.#values === 'unknown') {
      const values = this.#named();
      this.#values = values?.filter((value) => this.nodes.every((node) => takes(node, value, this.#step) !== false));
    }
    return this.#values;
  }

  #named(): readonly Json[] | undefined {
    const lists = this.nodes.flatMap(({ values }) => (values === undefined ? [] : [values]));
    const [shortest] = lists.sort((one, other) => one.length - other.length);
    if (shortest !== undefined) return shortest;
    if (![...this.kinds].every((kind) => kind === 'null' || kind === 'boolean')) return undefined;
    return [...this.kinds].flatMap((kind) => (kind === 'null' ? [null] : [true, false]));
  }

  /** Names that an object has. */
  get required(): ReadonlySet<string> {
    if (this.#required !== undefined) return this.#required;
    const required = new Set(this.nodes.flatMap((node) => node.required ?? []));
    // A set that grows is walked through to its end.
    for (const name of required)
      for (const { dependentRequired } of this.nodes)
        for (const other of dependentRequired?.get(name) ?? []) required.add(other);
    this.#required = required;
    return required;
  }

  /** The strictest of what they say; undefined if none of them says it. */
  most(keyword: 'minLength' | 'minItems' | 'minProperties'): number {
    return Math.max(0, ...this.nodes.map((node) => node[keyword] ?? 0));
  }

  least(keyword: 'maxLength' | 'maxItems' | 'maxProperties'): number {
    return Math.min(Infinity, ...this.nodes.map((node) => node[keyword] ?? Infinity));
  }
}

function kindsOf(nodes: readonly Node[]): ReadonlySet<Kind> {
  return new Set(kinds.filter((kind) => nodes.every((node) => node.kinds?.has(kind) ?? true)));
}

/** All that can be written under some schemas that hold together. Cases that cannot be are left out where that is plain. */
export function casesOf(written: readonly Node[], proof: Pick<Proof, 'step' | 'made'>): readonly Case[] {
  const cases: Case[] = [];
  grow(new Map(), written);
  return cases;

  function grow(held: ReadonlyMap<number, Node>, more: readonly Node[]): void {
    const all = new Map(held);
    const rest = [...more];
    for (let node = rest.pop(); node !== undefined; node = rest.pop()) {
      proof.step();
      if (node.isNothing) return;
      if (node.isAnything || all.has(node.id)) continue;
      all.set(node.id, node);
      if (node.target !== undefined) rest.push(node.target);
      rest.push(...(node.allOf ?? []));
    }
    const nodes = [...all.values()];
    if (kindsOf(nodes).size === 0) return;
    for (const node of nodes) {
      proof.step();
      const options = optionsOf(node, all, proof);
      if (options === undefined) continue;
      for (const option of options) grow(all, option);
      return;
    }
    cases.push(new Case(nodes, proof.step));
  }
}

/** Alternatives of which each is known not to be the others; of more, that would take long, and they have properties that say so. */
const exclusiveMax = 12;

/** What may hold besides, one of them; undefined if that is settled. */
function optionsOf(
  node: Node,
  held: ReadonlyMap<number, Node>,
  proof: Pick<Proof, 'made'>,
): readonly (readonly Node[])[] | undefined {
  const { anyOf, oneOf } = node;
  const isHeld = ({ id, isAnything }: Node): boolean => isAnything || held.has(id);
  if (anyOf !== undefined && !anyOf.some(isHeld)) return anyOf.map((branch) => [branch]);
  if (oneOf !== undefined && !oneOf.some(isHeld)) {
    if (oneOf.length > exclusiveMax) return oneOf.map((branch) => [branch]);
    return oneOf.map((branch) => [
      branch,
      ...oneOf.filter((other) => other !== branch).map((other) => negation(other, proof)),
    ]);
  }
  if (node.if === undefined || (node.then === undefined && node.else === undefined)) return undefined;
  const whether = [
    [node.if, ...(node.then === undefined ? [] : [node.then])],
    [negation(node.if, proof), ...(node.else === undefined ? [] : [node.else])],
  ];
  return whether.some((option) => option.every(isHeld)) ? undefined : whether;
}

function negation(node: Node, proof: Pick<Proof, 'made'>): Node {
  if (node.isAnything) return proof.made('nothing', { isNothing: true });
  return proof.made(`not ${node.id}`, { not: node });
}

/** Names one schema more precisely than its document does: that a value is of one kind. */
export function ofKind(kind: Kind, proof: Pick<Proof, 'made'>): Node {
  return proof.made(`kind ${kind}`, { kinds: new Set([kind]) });
}
