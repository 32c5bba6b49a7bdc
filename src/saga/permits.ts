interface Activity {
  taken: number;
  max: number;
  /** Whom to tell, in the order in which they came. */
  readonly waiting: Set<() => void>;
}

/** How many attempts of each activity may run at the same time in this process. Who must wait is told when one is free. */
export class Permits {
  readonly #activities = new Map<string, Activity>();

  /** @param max also Infinity. */
  take(name: string, max: number): boolean {
    const activity = this.#activities.get(name) ?? { taken: 0, max, waiting: new Set() };
    this.#activities.set(name, activity);
    activity.max = max;
    if (activity.taken >= max) return false;
    activity.taken += 1;
    return true;
  }

  release(name: string): void {
    const activity = this.#activities.get(name);
    if (activity === undefined) return;
    activity.taken -= 1;
    tellNext(activity);
  }

  /** Calls back once when one is free; it may have been taken by somebody else by then. */
  whenFree(name: string, tell: () => void): void {
    this.#activities.get(name)?.waiting.add(tell);
  }

  /** Whoever was told may not have wanted it any more: then the next is told. To be called when they have looked. */
  passOn(): void {
    for (const activity of this.#activities.values()) if (activity.taken < activity.max) tellNext(activity);
  }
}

function tellNext({ waiting }: Activity): void {
  const [next] = waiting;
  if (next === undefined) return;
  waiting.delete(next);
  next();
}
