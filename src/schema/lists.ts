/** Comparing lists. */
import type { Case } from './case.ts';
import { leastItems, mostItems, ownPlaces, schemasOfItem } from './members.ts';
import { schemaOfPlace } from './node.ts';
import type { Node } from './node.ts';
import { problem, untold } from './proof.ts';
import type { Problems, Proof } from './proof.ts';
import { nodeText } from './wording.ts';

export function checkLists(written: Case, reader: Node, proof: Proof): Problems {
  const most = mostItems(written, proof);
  return [
    ...checkItems(written, reader, most, proof),
    ...checkLength(written, reader, most),
    ...checkContained(written, reader, most, proof),
  ];
}

function checkItems(written: Case, reader: Node, most: number, proof: Proof): Problems {
  const problems: Problems[number][] = [];
  const places = ownPlaces([...written.nodes, reader]);
  // Behind the places with schemas of their own, all are alike.
  for (let index = 0; index <= places && index < most; index++) {
    const schema = schemaOfPlace(reader, index);
    const at = index === places ? '[]' : `[${index}]`;
    if (schema === undefined) continue;
    if (schema.isNothing) problems.push(...problem('an item may come, and is not taken', at));
    else problems.push(...proof.checkPart(at, schemasOfItem(written, index), schema));
  }
  return problems;
}

function checkLength(
  written: Case,
  { minItems = 0, maxItems = Infinity, uniqueItems }: Node,
  most: number,
): readonly Problems[number][] {
  const problems: Problems[number][] = [];
  const least = leastItems(written);
  if (least < minItems) {
    const reason = `a list of ${itemsText(least)} may come, only one of at least ${minItems} is taken`;
    problems.push(...problem(reason));
  }
  if (most > maxItems) {
    const reason = `a list of ${itemsText(most)} may come, only one of at most ${maxItems} is taken`;
    problems.push(...problem(reason));
  }
  if (uniqueItems && most > 1 && !written.nodes.some((node) => node.uniqueItems))
    problems.push(...problem('a list with equal items may come, and is not taken'));
  return problems;
}

function itemsText(count: number): string {
  if (count === Infinity) return 'any length';
  return count === 1 ? '1 item' : `${count} items`;
}

function checkContained(written: Case, reader: Node, most: number, proof: Proof): Problems {
  const { contains, minContains = 1, maxContains = Infinity } = reader;
  if (contains === undefined) return [];
  const wanted = `only one with ${minContains} or more of ${nodeText(contains)} is taken`;
  return [
    ...(minContains <= leastContained(written, contains, proof) ? [] : untold(`a list comes, ${wanted}`)),
    ...(maxContains >= mostContained(written, contains, most, proof)
      ? []
      : untold(`a list comes, only one with at most ${maxContains} of ${nodeText(contains)} is taken`)),
  ];
}

/** Items under a schema that there are at least. */
function leastContained(written: Case, contained: Node, proof: Proof): number {
  const promised = written.nodes.map((node) => {
    if (node.contains === undefined) return 0;
    return proof.checkPart('[]', [node.contains], contained).length === 0 ? (node.minContains ?? 1) : 0;
  });
  const length = leastItems(written);
  const places = Math.min(length, ownPlaces(written.nodes));
  const isUnder = (index: number): boolean =>
    proof.checkPart('[]', schemasOfItem(written, index), contained).length === 0;
  let count = 0;
  for (let index = 0; index < places; index++) if (isUnder(index)) count++;
  if (length > places && isUnder(places)) count += length - places;
  return Math.max(count, ...promised);
}

/** Items under a schema that there are at most. */
function mostContained(written: Case, contained: Node, most: number, proof: Proof): number {
  const allowed = written.nodes.map(({ contains, maxContains }) => {
    const isUnderIt = contains !== undefined && proof.checkPart('[]', [contained], contains).length === 0;
    return isUnderIt ? (maxContains ?? Infinity) : Infinity;
  });
  const places = ownPlaces(written.nodes);
  const mayBeUnder = (index: number): boolean => !proof.isEmpty([...schemasOfItem(written, index), contained]);
  let count = 0;
  for (let index = 0; index < Math.min(places, most); index++) if (mayBeUnder(index)) count++;
  if (most > places && mayBeUnder(places)) count += most - places;
  return Math.min(count, ...allowed);
}
