/** As JSON; what JSON has no words for is shown as JavaScript would show it. */
export function jsonText(value: unknown): string {
  const text = JSON.stringify(value, (_, inner: unknown) => {
    if (inner instanceof Map || inner instanceof Set) return [...inner];
    return typeof inner === 'bigint' || typeof inner === 'symbol' ? String(inner) : inner;
  });
  // Undefined has none at all.
  return text ?? 'undefined';
}
