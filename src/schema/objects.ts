/** Comparing objects. */
import { pathStep } from '../event/json.ts';
import type { Case } from './case.ts';
import { declaredNames, leastMembers, mostMembers, nameClasses, schemasOfProperty } from './members.ts';
import type { NameClass } from './members.ts';
import { regExpOf, schemasOfName } from './node.ts';
import type { Node } from './node.ts';
import { problem, untold } from './proof.ts';
import type { Problems, Proof } from './proof.ts';
import { takes } from './takes.ts';
import { nodeText, valueText } from './wording.ts';

export function checkObjects(written: Case, reader: Node, proof: Proof): Problems {
  const names = new Set([
    ...declaredNames(written, proof),
    ...(reader.properties?.keys() ?? []),
    ...(reader.required ?? []),
  ]);
  const classes = nameClasses(written, proof);
  return [
    ...[...names].flatMap((name) => checkProperty(written, name, reader, proof)),
    ...classes.flatMap((one) => checkClass(written, one, reader, proof)),
    ...checkCounts(written, reader, proof),
    ...checkDependents(written, reader, proof),
  ];
}

function checkProperty(written: Case, name: string, reader: Node, proof: Proof): Problems {
  const at = pathStep(name);
  const isRequired = reader.required?.includes(name) ?? false;
  const missing = isRequired && !written.required.has(name) ? problem('it may be missing, and is required', at) : [];
  const schemas = schemasOfProperty(written, name, proof);
  if (proof.isEmpty(schemas)) return missing;
  const problems = schemasOfName(reader, name).flatMap((schema) => {
    if (schema.isNothing) return problem('it may come, and is not taken', at);
    const found = proof.checkPart(at, schemas, schema);
    if (found.length === 0 || isDeclared(written, name)) return found;
    return problem(
      `any further property may come, also one of this name with another value, only ${nodeText(schema)} is taken`,
      at,
    );
  });
  return [...missing, ...problems, ...checkName(name, at, reader, proof)];
}

/** Whether something is said of a property by its name. */
function isDeclared({ nodes, required }: Case, name: string): boolean {
  return (
    required.has(name) ||
    nodes.some(
      (node) =>
        (node.properties?.has(name) ?? false) ||
        [...(node.patternProperties?.keys() ?? [])].some((pattern) => regExpOf(pattern)?.test(name)),
    )
  );
}

function checkName(name: string, at: string, { propertyNames }: Node, proof: Proof): Problems {
  const answer = propertyNames === undefined || takes(propertyNames, name, proof.step);
  if (answer) return [];
  return answer === false
    ? problem('it may come, and its name is not taken', at)
    : untold(`whether the name ${valueText(name)} is taken`, at);
}

/** Where many properties are, by whatever name. */
const anyName = '.*';

function checkClass(written: Case, { pattern, schemas }: NameClass, reader: Node, proof: Proof): Problems {
  const problems: Problems[number][] = [];
  const own = pattern === undefined ? undefined : reader.patternProperties?.get(pattern);
  if (own !== undefined) problems.push(...proof.checkPart(anyName, schemas, own));
  // A name may match other patterns as well: what they want must hold in any case.
  for (const [other, schema] of reader.patternProperties ?? []) {
    const isExcluded = pattern === undefined && written.nodes.some((node) => node.patternProperties?.has(other));
    if (other === pattern || isExcluded || proof.checkPart(anyName, schemas, schema).length === 0) continue;
    problems.push(...untold(`whether names that match ${valueText(other)} come with other values`, anyName));
  }
  const { additionalProperties, propertyNames } = reader;
  if (additionalProperties !== undefined && own === undefined) {
    if (additionalProperties.isNothing)
      problems.push(...problem('further properties may come, and are not taken', anyName));
    else problems.push(...proof.checkPart(anyName, schemas, additionalProperties));
  }
  if (propertyNames !== undefined) problems.push(...checkNames(written, pattern, propertyNames, proof));
  return problems;
}

function checkNames({ nodes }: Case, pattern: string | undefined, reader: Node, proof: Proof): Problems {
  const kinds = new Set(['string'] as const);
  const name =
    pattern === undefined
      ? proof.made('name', { kinds })
      : proof.made(`name ${JSON.stringify(pattern)}`, { kinds, pattern });
  const names = [name, ...nodes.flatMap(({ propertyNames }) => propertyNames ?? [])];
  return proof.checkPart('', names, reader).map(({ reason }) => ({ path: anyName, reason: `of its name: ${reason}` }));
}

function checkCounts(written: Case, { minProperties = 0, maxProperties = Infinity }: Node, proof: Proof): Problems {
  const least = leastMembers(written);
  const few =
    least < minProperties
      ? problem(`an object of ${least} properties may come, only one of at least ${minProperties} is taken`)
      : [];
  if (maxProperties === Infinity) return few;
  const most = mostMembers(written, proof);
  if (most <= maxProperties) return few;
  const many = most === Infinity ? 'any number of' : String(most);
  return [
    ...few,
    ...problem(`an object of ${many} properties may come, only one of at most ${maxProperties} is taken`),
  ];
}

/** What holds where a property is there. */
function checkDependents(written: Case, reader: Node, proof: Proof): Problems {
  const problems: Problems[number][] = [];
  const mayBeThere = (name: string): boolean => !proof.isEmpty(schemasOfProperty(written, name, proof));
  for (const [name, others] of reader.dependentRequired ?? []) {
    if (!mayBeThere(name)) continue;
    for (const other of others) {
      const isThere =
        written.required.has(other) ||
        written.nodes.some(({ dependentRequired }) => dependentRequired?.get(name)?.includes(other));
      const reason = `it may be missing, and is required where ${valueText(name)} is there`;
      if (!isThere) problems.push(...problem(reason, pathStep(other)));
    }
  }
  for (const [name, schema] of reader.dependentSchemas ?? []) {
    const isSaid = written.nodes.some(({ dependentSchemas }) => dependentSchemas?.get(name)?.alike === schema.alike);
    if (isSaid || !mayBeThere(name)) continue;
    const present = proof.made(`with ${JSON.stringify(name)}`, { required: [name] });
    problems.push(...proof.check([...written.nodes, present], schema));
  }
  return problems;
}
