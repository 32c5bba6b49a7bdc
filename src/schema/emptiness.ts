/** Whether there can be no value: sound, not complete. */
import type { Case } from './case.ts';
import { leastItems, leastMembers, mostItems, schemasOfProperty } from './members.ts';
import type { Kind } from './node.ts';
import type { Proof } from './proof.ts';
import { isRangeEmpty } from './ranges.ts';

/** Kinds of values that there can be in a case. */
export function possibleKinds(written: Case, proof: Proof): readonly Kind[] {
  if (written.nodes.some(({ not }) => not !== undefined && written.says(not))) return [];
  const { values } = written;
  if (values?.length === 0) return [];
  return [...written.kinds].filter((kind) => !isKindEmpty(written, kind, proof));
}

function isKindEmpty(written: Case, kind: Kind, proof: Proof): boolean {
  switch (kind) {
    case 'number':
      return isRangeEmpty(written);
    case 'string':
      return written.most('minLength') > written.least('maxLength');
    case 'array':
      return areListsEmpty(written, proof);
    case 'object':
      return areObjectsEmpty(written, proof);
    default:
      return false;
  }
}

function areListsEmpty(written: Case, proof: Proof): boolean {
  if (leastItems(written) > mostItems(written, proof)) return true;
  // Some item is under both.
  return written.nodes.some(
    ({ contains, minContains }) => contains !== undefined && minContains !== 0 && contains.isNothing,
  );
}

function areObjectsEmpty(written: Case, proof: Proof): boolean {
  if (leastMembers(written) > written.least('maxProperties')) return true;
  const parts = [...written.required].map((name) => schemasOfProperty(written, name, proof));
  // Where alternatives exclude each other, it is mostly by a property with few values.
  const isTold = parts.some((schemas) => schemas.some(({ values }) => values !== undefined) && proof.isEmpty(schemas));
  return isTold || parts.some((schemas) => proof.isEmpty(schemas));
}
