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
