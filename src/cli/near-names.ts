/** The names that somebody may have meant, the nearest first: at most three. */
export function nearNames(typed: string, names: readonly string[]): readonly string[] {
  const wanted = typed.toLowerCase();
  const most = Math.max(2, bare(typed).length / 3);
  const distances = names.map((name) => [name, distanceTo(wanted, name.toLowerCase())] as const);
  return distances
    .filter(([, distance]) => distance <= most)
    .sort(([, one], [, other]) => one - other)
    .slice(0, 3)
    .map(([name]) => name);
}

/** With the owner, or without: `OrderPlacd` is near to `order.OrderPlaced`. */
function distanceTo(typed: string, name: string): number {
  return Math.min(editDistance(typed, name), editDistance(bare(typed), bare(name)));
}

function bare(name: string): string {
  return name.slice(name.indexOf('.') + 1);
}

/** How many characters have to be put in, left out or replaced (V. I. Levenshtein, 1965). */
function editDistance(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (let at = 1; at <= one.length; at++) {
    const next = [at];
    for (let index = 1; index <= other.length; index++) {
      const replaced = (row[index - 1] as number) + (one[at - 1] === other[index - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[index] as number) + 1, (next[index - 1] as number) + 1));
    }
    row = next;
  }
  return row.at(-1) as number;
}
