import type pg from 'pg';
import { EngineError } from '../ground/errors.ts';

export type Driver = Pick<typeof pg, 'Client' | 'Pool'>;

/** node-postgres, which users install beside eventsrc. @throws {EngineError} `driver_missing` */
export async function loadDriver(): Promise<Driver> {
  try {
    const { default: driver } = await import('pg');
    return driver;
  } catch (error) {
    throw new EngineError('driver_missing', { driver: 'pg' }, { cause: error });
  }
}
