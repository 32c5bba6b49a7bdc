/** How much slower a store on PostgreSQL becomes when it grows, and raw rows in the same order. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Grown, GrowthFigures } from '../large/mix.ts';
import type { InNewPlace } from '../measure-row.ts';
import { programPath } from '../programs.ts';

export interface GrowthResult {
  readonly id: 'postgres.growth.append' | 'postgres.growth.load';
  readonly what: string;
  readonly unit: 'times slower';
  readonly value: number;
  readonly against: readonly [{ readonly name: string; readonly value: number; readonly ratio: number }];
}

export async function measureGrowth(
  inNewPlace: InNewPlace,
  { small, large }: { readonly small: number; readonly large: number },
): Promise<readonly GrowthResult[]> {
  const grow = (program: string) =>
    inNewPlace(async (url) => {
      const { stdout } = await promisify(execFile)(process.execPath, [program, url, String(small), String(large)]);
      return JSON.parse(stdout) as Grown;
    });
  const ours = await grow(programPath('large', 'grow-eventsrc'));
  const raw = await grow(fileURLToPath(new URL('grow-raw.ts', import.meta.url)));
  const sizes = `${large.toLocaleString('en')} events against ${small.toLocaleString('en')}`;
  const slower = (figures: Grown, of: keyof GrowthFigures) => figures.small[of] / figures.large[of];
  const growth = (id: GrowthResult['id'], what: string, of: keyof GrowthFigures): GrowthResult => {
    const [value, theirs] = [slower(ours, of), slower(raw, of)];
    const against = [{ name: 'raw, with as many rows', value: theirs, ratio: value / theirs }] as const;
    return { id, what: `${what}: ${sizes}`, unit: 'times slower', value, against };
  };
  return [
    growth('postgres.growth.append', 'appends of one event, 256 at a time, to streams of any age', 'appendsPerSecond'),
    growth('postgres.growth.load', 'states of streams of any age', 'loadedEventsPerSecond'),
  ];
}
