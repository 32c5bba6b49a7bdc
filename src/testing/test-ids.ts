/** Ids that are the same in every run: `<prefix>-1`, `<prefix>-2`, and so on. */
export function testIds(prefix: string = 'id'): () => string {
  let last = 0;
  return () => `${prefix}-${++last}`;
}
