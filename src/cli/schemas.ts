/** The types of events that the config declares and the store has registered, by name. */
import { EngineSchemas } from '../engine/schema-side.ts';
import { readClock, systemClock } from '../ground/clock.ts';
import { schemaCatalogue } from '../schema/catalogue.ts';
import type { CatalogueType, CatalogueVersion } from '../schema/catalogue.ts';
import type { EventLog } from '../store/log.ts';
import type { LoadedConfig } from './config-file.ts';
import { sagasOf } from './definitions.ts';
import { usageError } from './failure.ts';
import { nearNames } from './near-names.ts';
import type { Session } from './session.ts';

/** Without an engine, which would not open where something is wrong with them. @throws {EngineError} `option_invalid` */
export function schemasOf(log: EventLog, config: LoadedConfig): Promise<EngineSchemas> {
  const { projections = [], tables = [], reactors = [], clock = systemClock } = config;
  const parts = { consumers: [...projections, ...tables, ...reactors], now: () => readClock(clock) };
  return EngineSchemas.look(log, { ...config, ...parts, sagas: sagasOf(config) });
}

export async function readCatalogue(session: Session): Promise<readonly CatalogueType[]> {
  const config = await session.config();
  await using log = await session.openLog('existing');
  const schemas = await schemasOf(log, config);
  const registered = await schemas.registered();
  return schemaCatalogue({ declared: schemas.declared, registered, verdicts: await schemas.check() });
}

/** @param typed its whole name, or that of its type where no other aggregate has one of that name. @throws {CliError} */
export function requireType(catalogue: readonly CatalogueType[], typed: string): CatalogueType {
  const found = catalogue.find(({ name }) => name === typed);
  if (found !== undefined) return found;
  const [first, ...others] = catalogue.filter(({ type }) => type === typed);
  if (first !== undefined && others.length === 0) return first;
  if (first !== undefined) {
    const names = [first, ...others].map(({ name }) => name).join(', ');
    throw usageError(`Several aggregates have a type ${typed}: ${names}`, 'Name one of these.');
  }
  const near = nearNames(
    typed,
    catalogue.map(({ name }) => name),
  );
  const remedy = near.length === 0 ? '' : `Did you mean ${near.join(' or ')}? `;
  throw usageError(
    `No type of event ${typed} is declared or registered`,
    `${remedy}All of them are listed by: eventsrc schema list`,
  );
}

/** @throws {CliError} */
export function requireVersion({ name, versions }: CatalogueType, version: number): CatalogueVersion {
  const found = versions.find((one) => one.version === version);
  if (found !== undefined) return found;
  const known = versions.map((one) => one.version).join(', ');
  throw usageError(`${name} has no version ${version}; known: ${known}`, 'Name one of these.');
}
