import type { SchemaShape } from '../event/json-schema.ts';
export type Compatibility =
  | 'NONE'
  | 'BACKWARD'
  | 'BACKWARD_TRANSITIVE'
  | 'FORWARD'
  | 'FORWARD_TRANSITIVE'
  | 'FULL'
  | 'FULL_TRANSITIVE';
export interface Verdict {
  readonly compatible: boolean;
  readonly problems: readonly {
    readonly path: string;
    readonly reason: string;
    readonly direction: 'backward' | 'forward';
    readonly against: number;
  }[];
}
export function checkCompatibility(
  mode: Compatibility,
  _next: { version: number; shape: SchemaShape },
  earlier: readonly { version: number; shape: SchemaShape }[],
): Verdict {
  return { compatible: mode === 'NONE' || earlier.length === 0, problems: [] };
}
