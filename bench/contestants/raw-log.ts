import { closeSync, fdatasyncSync, openSync, writevSync } from 'node:fs';
import { warmUp } from './contestant.ts';
import type { Budget, Contestant, Measurement } from './contestant.ts';
import { payloads } from './raw-sqlite.ts';

/** The least that durability costs: finished bytes at the end of a file, and one fdatasync for so many events. */
export function rawLog(eventsPerSync: number): Contestant {
  return {
    name: eventsPerSync === 1 ? 'raw log file, one event a sync' : `raw log file, ${eventsPerSync} events a sync`,
    async run(file, budget) {
      const log = openSync(file, 'ax');
      try {
        write(log, eventsPerSync, warmUp(budget));
        return write(log, eventsPerSync, budget);
      } finally {
        closeSync(log);
      }
    },
  };
}

function write(log: number, eventsPerSync: number, { eventsMax, secondsMax }: Budget): Measurement {
  const startedAt = performance.now();
  const endsAt = startedAt + secondsMax * 1_000;
  let events = 0;
  while (events < eventsMax && performance.now() < endsAt) {
    const group = Array.from({ length: eventsPerSync }, (_, index) => {
      return (payloads[(events + index) % payloads.length] as (typeof payloads)[number]).payload;
    });
    writevSync(log, group);
    fdatasyncSync(log);
    events += eventsPerSync;
  }
  return { events, seconds: (performance.now() - startedAt) / 1_000, latenciesMs: [], failures: 0 };
}
