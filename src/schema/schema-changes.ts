import type { JsonSchema } from '../event/json-schema.ts';
export interface SchemaChange {
  readonly path: string;
  readonly change: 'added' | 'removed' | 'changed';
  readonly text: string;
}
export function schemaChanges(before: JsonSchema, after: JsonSchema): readonly SchemaChange[] {
  return JSON.stringify(before) === JSON.stringify(after)
    ? []
    : [{ path: 'data', change: 'changed', text: 'data: changed' }];
}
