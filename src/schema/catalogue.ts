/** Every type of event that is declared or registered, with its versions: what there is to be listed, shown and exported. */
import type { EventVersion } from '../event/event-versions.ts';
import { shapeOf } from '../event/json-schema.ts';
import type { SchemaShape } from '../event/json-schema.ts';
import { nameOf } from './declared.ts';
import type { DeclaredType } from './declared.ts';
import type { RegisteredSchema } from './registry.ts';
import type { SchemaVerdict } from './verdict.ts';

export interface CatalogueVersion {
  readonly version: number;
  /** `elsewhere`: registered by code that declares another aggregate. `retired`: as it was appended, or never; read as other types. Else as `SchemaVerdict` says. */
  readonly verdict: SchemaVerdict['kind'] | 'elsewhere' | 'retired';
  readonly declared: EventVersion | undefined;
  readonly registered: RegisteredSchema | undefined;
}

export interface CatalogueType {
  /** `order.OrderPlaced` */
  readonly name: string;
  readonly owner: string;
  readonly type: string;
  readonly retired: boolean;
  /** In order. */
  readonly versions: readonly CatalogueVersion[];
}

interface Known {
  readonly declared: readonly DeclaredType[];
  readonly registered: readonly RegisteredSchema[];
  readonly verdicts: readonly SchemaVerdict[];
}

/** What is declared first, in its order; then what is only registered. */
export function schemaCatalogue({ declared, registered, verdicts }: Known): readonly CatalogueType[] {
  const types = new Map<string, Pick<DeclaredType, 'owner' | 'type'>>();
  for (const one of [...declared, ...registered]) if (!types.has(nameOf(one))) types.set(nameOf(one), one);
  return [...types].map(([name, { owner, type }]) => {
    const isOf = (other: Pick<DeclaredType, 'owner' | 'type'>) => other.owner === owner && other.type === type;
    const known = declared.find(isOf);
    const kept = registered.filter(isOf);
    const numbers = new Set([...(known?.versions ?? []), ...kept].map(({ version }) => version));
    const versions = [...numbers]
      .sort((one, other) => one - other)
      .map((version): CatalogueVersion => {
        const verdict = verdicts.find((other) => isOf(other) && other.version === version)?.kind ?? 'elsewhere';
        const isQuiet = verdict === 'registered' || verdict === 'new';
        return {
          version,
          verdict: known?.retired === true && isQuiet ? 'retired' : verdict,
          declared: known?.versions.find((one) => one.version === version),
          registered: kept.find((one) => one.version === version),
        };
      });
    return { name, owner, type, retired: known?.retired === true, versions };
  });
}

/** As it is declared; where it is not, or its library exports none, as it was registered. */
export function shapeOfVersion({ declared, registered }: CatalogueVersion): SchemaShape | undefined {
  return (declared && shapeOf(declared.schema)) ?? registered?.shape ?? undefined;
}
