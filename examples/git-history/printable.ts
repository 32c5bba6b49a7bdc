/** What commits say, in a form that is safe and readable on a terminal. */

/** Control characters could do anything there. */
export function printable(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, '\u{fffd}');
}

/** `2026-01-31`, or `?`: some commits claim to be of no time, or of years that no calendar has. */
export function printableDate(ms: number | null): string {
  const date = new Date(ms ?? NaN);
  return Number.isNaN(date.getTime()) ? '?' : date.toISOString().slice(0, 10);
}
