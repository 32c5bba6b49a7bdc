/** A promise of all only if one of them is a promise. */
export function together<Item, Made>(
  items: readonly Item[],
  make: (item: Item) => Made | Promise<Made>,
): readonly Made[] | Promise<readonly Made[]> {
  const made: (Made | Promise<Made>)[] = [];
  try {
    for (const item of items) made.push(make(item));
  } catch (error) {
    // Of those that were begun nobody will hear.
    for (const begun of made) if (begun instanceof Promise) begun.catch(() => {});
    throw error;
  }
  return made.some((item) => item instanceof Promise) ? Promise.all(made) : (made as readonly Made[]);
}
