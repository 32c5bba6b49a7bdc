/** Comparing two generations of a view, document by document, while both move on. */
import { toCanonicalJson } from '../event/json.ts';
import type { Position } from '../store/port.ts';
import type { Document } from '../store/state-port.ts';
import type { Build } from './build.ts';
import { slotOf } from './consumer.ts';
import { foldTasks } from './fold.ts';
import type { AnyProjection, ViewDocument } from './projection.ts';
import type { Site } from './site.ts';

/** A document that differs; undefined where there is none. */
export interface Difference {
  readonly key: string;
  readonly before: unknown;
  readonly after: unknown;
}

/** Documents that were compared, and those that differ (the first 100). */
export interface Compared {
  readonly compared: number;
  readonly differing: number;
  readonly differences: readonly Difference[];
}

type Delay = (ms: number, signal: AbortSignal) => Promise<void>;

/** Of the generation that serves and of the one that was built. */
type Pair<Value> = readonly [Value, Value];

const pageSize = 500;
const shownMax = 100;
/** How often documents are looked at that move whenever they are, how many at once, and how long is waited in between. */
const attemptsMax = 200;
const lookedAtMax = 16;
const againMs = 5;
/** Events that one of two generations may be ahead for them to be compared by folding these into the other one. */
const aheadMax = 10_000;

/** Compares document by document. */
export async function compare(
  site: Site,
  [old, built]: Pair<Build>,
  onProgress: (done: number, total: number) => void,
  signal: AbortSignal,
  delay: Delay,
): Promise<Compared> {
  const all = { kind: 'all', of: [] } as const;
  const total = (await site.state.count(old.collection, all)).count;
  let [compared, differing] = [0, 0];
  const differences: Difference[] = [];
  for await (const keys of pairedKeys(site, [old.collection, built.collection], signal)) {
    for (const difference of await differencesAt(site, [old, built], keys, signal, delay)) {
      differing += 1;
      if (differences.length < shownMax) differences.push(difference);
    }
    compared += keys.length;
    onProgress(compared, total);
  }
  return { compared, differing, differences };
}

/** The keys of either collection, page by page. */
async function* pairedKeys(
  site: Site,
  [first, second]: Pair<string>,
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

/** Of these keys. */
async function differencesAt(
  site: Site,
  builds: Pair<Build>,
  keys: readonly string[],
  signal: AbortSignal,
  delay: Delay,
): Promise<readonly Difference[]> {
  const unlike = (await documentsOf(site, builds, keys)).filter(
    ({ before, after }) => textOf(before) !== textOf(after),
  );
  const differences: Difference[] = [];
  // They may only differ because one of the two is further.
  for (let start = 0; start < unlike.length; start += lookedAtMax) {
    const some = unlike.slice(start, start + lookedAtMax).map(({ key }) => key);
    differences.push(...(await realDifferences(site, builds, some, signal, delay)));
  }
  return differences;
}

async function documentsOf(site: Site, builds: Pair<Build>, keys: readonly string[]): Promise<readonly Difference[]> {
  const [old, built] = builds;
  const before = await site.state.get(old.collection, keys);
  const after = await site.state.get(built.collection, keys);
  return keys.map((key, index) => ({ key, before: before[index]?.value, after: after[index]?.value }));
}

/** What differs once the events that only one of the two has had are folded into the other one, too. */
async function realDifferences(
  site: Site,
  [old, built]: Pair<Build>,
  keys: readonly string[],
  signal: AbortSignal,
  delay: Delay,
): Promise<readonly Difference[]> {
  const differences: Difference[] = [];
  let moving = keys;
  for (let attempt = 1; attempt <= attemptsMax && moving.length > 0; attempt++) {
    if (attempt > 1) await delay(againMs, signal);
    const [stands, others] = [await standsOf(site, old, moving), await standsOf(site, built, moving)];
    const left: string[] = [];
    for (const key of moving) {
      const [stand, other] = [stands.get(key), others.get(key)];
      if (stand === undefined || other === undefined) {
        left.push(key);
        continue;
      }
      const until = Math.max(stand.position, other.position);
      const before = await foldedTo(site, old, key, stand, until);
      const after = await foldedTo(site, built, key, other, until);
      if (textOf(before) !== textOf(after)) differences.push({ key, before, after });
    }
    moving = left;
  }
  // Those that were never seen at rest are not known to be alike.
  return [...differences, ...(await documentsOf(site, [old, built], moving))];
}

/** A document, and up to where all events are in it. */
interface Stand {
  readonly value: unknown;
  readonly position: Position;
}

/** Of those of the keys whose slots did not move while they were looked at. */
async function standsOf(site: Site, build: Build, keys: readonly string[]): Promise<ReadonlyMap<string, Stand>> {
  const freshness = site.freshness(build);
  const before = await freshness.positions();
  const documents = await site.state.get(build.collection, keys);
  const after = await freshness.positions();
  const stands = keys.flatMap((key, index): readonly [string, Stand][] => {
    const slot = slotOf(key, build.consumer.slots);
    const position = before[slot] ?? 0;
    return position === after[slot] ? [[key, { value: documents[index]?.value, position }]] : [];
  });
  return new Map(stands);
}

/** What a document is to become; as it is, where that is too far away, or an event on the way cannot be folded. */
async function foldedTo(
  site: Site,
  { consumer }: Build,
  key: string,
  { value, position }: Stand,
  until: Position,
): Promise<unknown> {
  if (position === until || until - position > aheadMax) return value;
  const events = await site.feed(consumer).between(position, until);
  try {
    const tasks = events
      .filter((event) => consumer.keysOf(event).includes(key))
      .map((event) => ({ event, keys: [key] }));
    if (tasks.length === 0) return value;
    const before = new Map([[key, (value as ViewDocument | undefined) ?? null]]);
    return foldTasks(consumer as AnyProjection, tasks, before, false).get(key) ?? undefined;
  } catch {
    return value;
  }
}

function textOf(value: unknown): string {
  return value === undefined ? '' : toCanonicalJson(value, 'document');
}
