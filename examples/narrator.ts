/** What the demo prints: coloured on a terminal, plain where it is piped. */
import { styleText } from 'node:util';

let chapterCount = 0;

function style(format: Parameters<typeof styleText>[0], text: string): string {
  return styleText(format, text, { stream: process.stdout });
}

export function title(text: string): void {
  console.log(style('bold', text));
}

/** A numbered heading and what the reader is about to see. */
export function chapter(name: string, explanation: string): void {
  chapterCount += 1;
  console.log(`\n${style(['bold', 'cyan'], `${chapterCount}  ${name}`)}\n${style('dim', indent(explanation))}`);
}

export function line(text: string): void {
  console.log(indent(text));
}

export function good(text: string): void {
  console.log(indent(`${style('green', '✓')} ${text}`));
}

export function bad(text: string): void {
  console.log(indent(`${style('red', '✗')} ${text}`));
}

export function strong(text: string): string {
  return style('bold', text);
}

export function faint(text: string): string {
  return style('dim', text);
}

/** `1,204 events`, `1 file` */
export function count(number: number, noun: string): string {
  return `${number.toLocaleString('en')} ${noun}${number === 1 ? '' : 's'}`;
}

/** The first few, and how many more there are. */
export function few(names: readonly string[], max = 3): string {
  const rest = names.length - max;
  return rest <= 0 ? names.join(', ') : `${names.slice(0, max).join(', ')} and ${rest.toLocaleString('en')} more`;
}

function indent(text: string): string {
  return text.replaceAll(/^/gm, '   ');
}
