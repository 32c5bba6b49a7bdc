/** Building a view anew beside the one that serves, and comparing the two before it takes over. */
import { EngineError } from '../ground/errors.ts';
import { toCanonicalJson } from '../event/json.ts';
import type { Position } from '../store/port.ts';
import type { Document } from '../store/state-port.ts';
import { Build } from './build.ts';
import type { AnyProjection } from './projection.ts';
import type { Site } from './site.ts';
import { slotStates } from './slot.ts';

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

/** A document that differs; undefined where there is none. */
export interface Difference {
  readonly key: string;
  readonly before: unknown;
  readonly after: unknown;
}

export interface RebuildResult {
  readonly generation: number;
  /** Whether it serves now. */
  readonly switched: boolean;
  /** Up to which it was built when it was compared, or took over. */
  readonly position: Position;
  /** Documents that were compared, and those that differ (the first 100); without `diff` none. */
  readonly compared: number;
  readonly differing: number;
  readonly differences: readonly Difference[];
}

const pageSize = 500;
const shownMax = 100;
/** How often two documents are looked at again that differ while the views move on. */
const attemptsMax = 20;
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
  const compared = options.diff === true ? await compare(site, old, build, options, signal, clock) : none;
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
    const { position: done, head: total } = await freshness.lag(1);
    onProgress?.({ phase: 'building', done, total, rate: rateOf(done - from, now() - begun) });
    const states = await slotStates(site.registry.control, build.slots);
    const fault = states.find((state) => state.fault !== undefined)?.fault;
    if (fault !== undefined)
      throw new EngineError('consumer_faulted', {
        consumer: `${build.consumer.name} (generation ${build.generation})`,
        position: fault.position,
        reason: fault.reason,
      });
    const held = await freshness.hold({ atLeast: total }, progressMs, signal);
    if (held.kind === 'held') return freshness.position();
    await delay(0, signal);
  }
}

function rateOf(count: number, ms: number): number {
  return ms === 0 ? 0 : Math.round((count / ms) * 1_000);
}

/** Compares document by document. */
async function compare(
  site: Site,
  old: Build,
  built: Build,
  { onProgress }: RebuildOptions,
  signal: AbortSignal,
  clock: Clocked,
): Promise<Pick<RebuildResult, 'compared' | 'differing' | 'differences'>> {
  const all = { kind: 'all', of: [] } as const;
  const total = (await site.state.count(old.collection, all)).count;
  const begun = clock.now();
  let [compared, differing] = [0, 0];
  const differences: Difference[] = [];
  for await (const keys of pairedKeys(site, [old.collection, built.collection], signal)) {
    for (const difference of await differencesAt(site, [old, built], keys, signal, clock)) {
      differing += 1;
      if (differences.length < shownMax) differences.push(difference);
    }
    compared += keys.length;
    onProgress?.({ phase: 'comparing', done: compared, total, rate: rateOf(compared, clock.now() - begun) });
  }
  return { compared, differing, differences };
}

/** The keys of either collection, page by page. */
async function* pairedKeys(
  site: Site,
  [first, second]: readonly [string, string],
  signal: AbortSignal,
): AsyncGenerator<readonly string[]> {
  const inFirst = async (keys: readonly string[]) => site.state.get(first, keys);
  for await (const page of pages(site, first, signal)) yield page.map(({ key }) => key);
  for await (const page of pages(site, second, signal)) {
    const keys = page.map(({ key }) => key);
    const present = await inFirst(keys);
    const missing = keys.filter((_, index) => present[index] === undefined);
    if (missing.length > 0) yield missing;
  }
}

async function* pages(site: Site, collection: string, signal: AbortSignal): AsyncGenerator<readonly Document[]> {
  let after: string | undefined;
  do {
    signal.throwIfAborted();
    const page = await site.state.find(collection, {
      where: { kind: 'all', of: [] },
      orderBy: [],
      limit: pageSize,
      after,
    });
    if (page.documents.length > 0) yield page.documents;
    after = page.next;
  } while (after !== undefined);
}

/** Of these keys. The views move on meanwhile, so what differs is looked at again until both stand at the same position. */
async function differencesAt(
  site: Site,
  builds: readonly [Build, Build],
  keys: readonly string[],
  signal: AbortSignal,
  { delay }: Clocked,
): Promise<readonly Difference[]> {
  const [old, built] = builds;
  const position = async () => (await Promise.all(builds.map((build) => site.freshness(build).position()))).join();
  let left = keys;
  let differences: Difference[] = [];
  for (let attempt = 1; attempt <= attemptsMax && left.length > 0; attempt++) {
    const stand = await position();
    const [before, after] = [await site.state.get(old.collection, left), await site.state.get(built.collection, left)];
    differences = left.flatMap((key, index) => {
      const pair = { key, before: before[index]?.value, after: after[index]?.value };
      return textOf(pair.before) === textOf(pair.after) ? [] : [pair];
    });
    left = differences.map(({ key }) => key);
    const [oldPosition, builtPosition] = stand.split(',');
    if (oldPosition === builtPosition && stand === (await position())) break;
    if (left.length > 0) await delay(50, signal);
  }
  return differences;
}

function textOf(value: unknown): string {
  return value === undefined ? '' : toCanonicalJson(value, 'document');
}
