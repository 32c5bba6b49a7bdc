/** What objects and lists that are written can have in them. */
import { casesOf } from './case.ts';
import type { Case } from './case.ts';
import { schemaOfPlace, schemasOfName } from './node.ts';
import type { Node } from './node.ts';
import type { Proof } from './proof.ts';
import { takes } from './takes.ts';

/** The schemas that all hold for a property. */
export function schemasOfProperty(written: Case, name: string, proof: Proof): readonly Node[] {
  if (isUndeclared(written, name, proof)) return [nothing(proof)];
  return written.nodes.flatMap((node) => {
    const isRefused = node.propertyNames !== undefined && takes(node.propertyNames, name, proof.step) === false;
    return isRefused ? [nothing(proof)] : schemasOfName(node, name);
  });
}

function isUndeclared(written: Case, name: string, proof: Proof): boolean {
  return (
    isClosedByTrust(written, proof) &&
    !written.required.has(name) &&
    !written.nodes.some((node) => node.properties?.has(name))
  );
}

/** Names that are named. */
export function declaredNames(written: Case, proof: Proof): readonly string[] {
  const names = written.nodes.flatMap(({ properties }) => [...(properties?.keys() ?? [])]);
  return [...names, ...written.required, ...(onlyNames(written, proof) ?? [])];
}

/** Names, if only these are possible for whatever schemas say of names. */
function onlyNames(written: Case, proof: Proof): readonly string[] | undefined {
  for (const { propertyNames } of written.nodes) {
    if (propertyNames === undefined) continue;
    const cases = casesOf([propertyNames], proof);
    const names = cases.flatMap(({ values }) => values?.filter((value) => typeof value === 'string') ?? []);
    if (cases.every(({ values }) => values !== undefined)) return names;
  }
  return undefined;
}

/** Properties that are not named, by what is known of their names: those of a pattern, and all others. */
export interface NameClass {
  /** Undefined for those that match none. */
  readonly pattern: string | undefined;
  readonly schemas: readonly Node[];
}

/** Those that there can be. */
export function nameClasses(written: Case, proof: Proof): readonly NameClass[] {
  if (onlyNames(written, proof) !== undefined || isClosedByTrust(written, proof)) return [];
  const patterns = new Set(written.nodes.flatMap(({ patternProperties }) => [...(patternProperties?.keys() ?? [])]));
  const classes: NameClass[] = [...patterns].map((pattern) => ({
    pattern,
    schemas: written.nodes.flatMap((node) => {
      const own = node.patternProperties?.get(pattern);
      if (own !== undefined) return [own];
      // With other patterns, it may be one of these that holds for the name.
      return node.patternProperties === undefined ? (node.additionalProperties ?? []) : [];
    }),
  }));
  classes.push({
    pattern: undefined,
    schemas: written.nodes.flatMap(({ additionalProperties }) => additionalProperties ?? []),
  });
  return classes.filter(({ schemas }) => !proof.isEmpty(schemas));
}

/** Whether it names properties and says nothing of others, which is to mean that there are none. */
function isClosedByTrust({ nodes }: Case, { isOnlyDeclared }: Proof): boolean {
  return (
    isOnlyDeclared &&
    nodes.some(({ properties }) => properties !== undefined) &&
    nodes.every((node) => node.additionalProperties === undefined && node.patternProperties === undefined)
  );
}

/** Properties that an object has at most. */
export function mostMembers(written: Case, proof: Proof): number {
  const most = written.least('maxProperties');
  if (nameClasses(written, proof).length > 0) return most;
  const names = new Set(declaredNames(written, proof));
  const possible = [...names].filter((name) => !proof.isEmpty(schemasOfProperty(written, name, proof)));
  return Math.min(most, possible.length);
}

/** Properties that an object has at least. */
export function leastMembers(written: Case): number {
  return Math.max(written.most('minProperties'), written.required.size);
}

/** The schemas that all hold for a place of a list. */
export function schemasOfItem({ nodes }: Case, index: number): readonly Node[] {
  return nodes.flatMap((node) => schemaOfPlace(node, index) ?? []);
}

/** Places that have schemas of their own. */
export function ownPlaces(nodes: readonly Node[]): number {
  return Math.max(0, ...nodes.map(({ prefixItems }) => prefixItems?.length ?? 0));
}

/** Items that a list has at least. */
export function leastItems(written: Case): number {
  const contained = written.nodes.map((node) => (node.contains === undefined ? 0 : (node.minContains ?? 1)));
  return Math.max(written.most('minItems'), ...contained);
}

/** Items that a list has at most: it ends before a place at which nothing can be. */
export function mostItems(written: Case, proof: Proof): number {
  const most = written.least('maxItems');
  for (let index = 0; index <= ownPlaces(written.nodes) && index < most; index++)
    if (proof.isEmpty(schemasOfItem(written, index))) return index;
  return most;
}

function nothing(proof: Pick<Proof, 'made'>): Node {
  return proof.made('nothing', { isNothing: true });
}
