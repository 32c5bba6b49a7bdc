/**
 * How much a contestant writes in one round: it stops at whichever bound it meets first. Those that are compared should
 * all meet the first one: SQLite becomes slower as the index grows, so whoever writes less looks better.
 */
export interface Budget {
  readonly eventsMax: number;
  readonly secondsMax: number;
}

export interface Measurement {
  readonly events: number;
  readonly seconds: number;
  /** From each append's call to its answer, in ms; empty where nobody waits for single appends. */
  readonly latenciesMs: readonly number[];
  /** Appends that failed and had to be made again; the time that took is counted. */
  readonly failures: number;
}

export interface Contestant {
  readonly name: string;
  /** Makes a store of its own in this new place (a file's path or a database's URL), warms up, writes durably, and closes. */
  run(place: string, budget: Budget): Promise<Measurement>;
}

/** Share of a round that is written first, into the same file, and not measured. */
const warmUpShare = 0.1;

export function warmUp({ eventsMax, secondsMax }: Budget): Budget {
  return { eventsMax: Math.ceil(eventsMax * warmUpShare), secondsMax: secondsMax * warmUpShare };
}
