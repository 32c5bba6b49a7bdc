/** Building a view anew beside the one that serves, and comparing the two before it takes over. */
import { EngineError } from '../ground/errors.ts';
import type { Position } from '../store/port.ts';
import { Build } from './build.ts';
import { compare } from './compare.ts';
import type { Compared } from './compare.ts';
import type { AnyProjection } from './projection.ts';
import type { Site } from './site.ts';

export interface RebuildProgress {
  readonly phase: 'building' | 'comparing';
  /** Positions, or documents, of `total`. */
  readonly done: number;
  readonly total: number;
  /** A second, since it was begun here. */
  readonly rate: number;
}

export interface RebuildOptions {
  /** Compare the documents before the new ones serve, and let the old ones serve on where there is a difference. Default false. */
  readonly diff?: boolean;
  /** Told about twice a second. */
  readonly onProgress?: (progress: RebuildProgress) => void;
  /** Ends the waiting; the building goes on, and the next call waits for it again. */
  readonly signal?: AbortSignal;
}

/** Without `diff` nothing is compared. */
export interface RebuildResult extends Compared {
  readonly generation: number;
  /** Whether it serves now. */
  readonly switched: boolean;
  /** Up to which it was built when it was compared, or took over. */
  readonly position: Position;
}

const progressMs = 500;

interface Clocked {
  readonly now: () => number;
  readonly delay: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** Builds a further generation, or goes on with one that was begun, and lets it serve. */
export async function rebuild(
  site: Site,
  projection: AnyProjection,
  options: RebuildOptions,
  clock: Clocked,
): Promise<RebuildResult> {
  const signal = options.signal ?? new AbortController().signal;
  const build = await site.registry.beginRebuild(projection);
  const position = await caughtUp(site, build, options, signal, clock);
  const { build: old } = await site.current(projection);
  const none = { compared: 0, differing: 0, differences: [] };
  const begun = clock.now();
  const onProgress = (done: number, total: number) =>
    options.onProgress?.({ phase: 'comparing', done, total, rate: rateOf(done, clock.now() - begun) });
  const compared = options.diff === true ? await compare(site, [old, build], onProgress, signal, clock.delay) : none;
  const switched = compared.differing === 0;
  if (switched) await site.registry.switchOver(projection, build.generation);
  return { generation: build.generation, switched, position, ...compared };
}

/** Lets a generation serve that was built, and differs. @throws {EngineError} `consumer_refused` */
export async function adopt(site: Site, projection: AnyProjection): Promise<number> {
  const { registration } = await site.current(projection);
  const { building } = registration;
  const refuse = (reason: string) => new EngineError('consumer_refused', { consumer: projection.name, reason });
  if (building === 0) throw refuse('no generation of it is being built');
  if (!(await site.freshness(new Build(projection, building)).isBuilt())) throw refuse('it is still being built');
  await site.registry.switchOver(projection, building);
  return building;
}

async function caughtUp(
  site: Site,
  build: Build,
  { onProgress }: RebuildOptions,
  signal: AbortSignal,
  { now, delay }: Clocked,
): Promise<Position> {
  const freshness = site.freshness(build);
  const [begun, from] = [now(), await freshness.position()];
  for (;;) {
    signal.throwIfAborted();
    await site.registry.requireThere(build.consumer as AnyProjection, build.generation);
    const { position: done, head: total } = await freshness.lag(1);
    onProgress?.({ phase: 'building', done, total, rate: rateOf(done - from, now() - begun) });
    const held = await freshness.hold({ atLeast: total }, progressMs, signal);
    if (held.kind === 'stale' && held.stale.fault !== undefined)
      throw new EngineError('consumer_faulted', {
        consumer: `${build.consumer.name} (generation ${build.generation})`,
        ...held.stale.fault,
      });
    if (held.kind === 'held') return freshness.position();
    await delay(0, signal);
  }
}

function rateOf(count: number, ms: number): number {
  return ms === 0 ? 0 : Math.round((count / ms) * 1_000);
}
