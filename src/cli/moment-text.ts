/** ISO 8601 in UTC; as it is, where the calendar has no date for it. */
export function timeText(ms: number): string {
  return ms <= 8.64e15 ? new Date(ms).toISOString() : String(ms);
}

/** To the second, in UTC. */
export function shortTimeText(ms: number): string {
  return timeText(ms).replace(/^(\d{4}-\d{2}-\d{2})T(\d{2}:\d{2}:\d{2})\.\d{3}Z$/, '$1 $2');
}

export function numberText(value: number): string {
  return value.toLocaleString('en-US');
}

export function eventsText(count: number): string {
  return `${numberText(count)} ${count === 1 ? 'event' : 'events'}`;
}

const units = ['bytes', 'KB', 'MB', 'GB', 'TB'];

export function bytesText(bytes: number): string {
  const power = Math.min(Math.floor(Math.log10(Math.max(bytes, 1)) / 3), units.length - 1);
  const value = bytes / 1_000 ** power;
  return `${power === 0 ? String(value) : value.toFixed(value < 10 ? 1 : 0)} ${units[power]}`;
}

const spanUnits = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
] as const;

/** How long, to the two units that say most: `2d 4h`, `4m 3s`, `12s`, `340ms`. */
export function spanText(ms: number): string {
  const first = spanUnits.findIndex(([, unitMs]) => ms >= unitMs);
  if (first === -1) return `${Math.round(ms)}ms`;
  const parts: string[] = [];
  let left = ms;
  for (const [unit, unitMs] of spanUnits.slice(first, first + 2)) {
    const amount = Math.floor(left / unitMs);
    if (amount > 0) parts.push(`${amount}${unit}`);
    left -= amount * unitMs;
  }
  return parts.join(' ');
}
