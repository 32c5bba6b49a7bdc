/** Whether a document fulfils a condition: what every backend agrees upon, written once. */
import { compareCodePoints } from '../event/names.ts';
import { fieldAt, isBytes } from './document-value.ts';
import type { Comparison, Condition, DocumentValue, Scalar } from './state-port.ts';

export function fulfils(condition: Condition, value: DocumentValue): boolean {
  return isTrueOf(condition, isBytes(value) ? undefined : value);
}

function isTrueOf(condition: Condition, value: unknown): boolean {
  switch (condition.kind) {
    case 'all':
      return condition.of.every((part) => isTrueOf(part, value));
    case 'any':
      return condition.of.some((part) => isTrueOf(part, value));
    case 'not':
      return !isTrueOf(condition.of, value);
    case 'in': {
      const field = fieldAt(value, condition.path);
      return condition.values.some((one) => areSame(field, one));
    }
    case 'exists':
      return (fieldAt(value, condition.path) !== undefined) === condition.value;
    case 'startsWith': {
      const field = fieldAt(value, condition.path);
      return typeof field === 'string' && field.startsWith(condition.value);
    }
    case 'contains': {
      const field = fieldAt(value, condition.path);
      if (typeof field === 'string') return typeof condition.value === 'string' && field.includes(condition.value);
      return Array.isArray(field) && field.some((element) => areSame(element, condition.value));
    }
    case 'some': {
      const field = fieldAt(value, condition.path);
      return Array.isArray(field) && field.some((element) => isTrueOf(condition.of, element));
    }
    default:
      return compares(condition.kind, fieldAt(value, condition.path), condition.value);
  }
}

function compares(comparison: Comparison, field: unknown, value: Scalar): boolean {
  if (comparison === 'eq') return areSame(field, value);
  if (comparison === 'ne') return !areSame(field, value);
  const order = compareAlike(field, value);
  if (order === undefined) return false;
  switch (comparison) {
    case 'gt':
      return order > 0;
    case 'gte':
      return order >= 0;
    case 'lt':
      return order < 0;
    default:
      return order <= 0;
  }
}

/** Zero has no sign here. */
function areSame(field: unknown, value: Scalar): boolean {
  return field === value;
}

/** Undefined for values of two kinds. */
function compareAlike(field: unknown, value: Scalar): number | undefined {
  if (typeof field === 'string' && typeof value === 'string') return compareCodePoints(field, value);
  if (typeof field === 'number' && typeof value === 'number') return field - value;
  if (typeof field === 'boolean' && typeof value === 'boolean') return Number(field) - Number(value);
  return field === null && value === null ? 0 : undefined;
}
