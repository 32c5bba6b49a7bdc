/** Loaded before a program: writes how much memory it held at most, in KiB, into the file that PEAK_MEMORY names. */
import { readFileSync, writeFileSync } from 'node:fs';

process.on('exit', () => {
  const file = process.env['PEAK_MEMORY'];
  if (file !== undefined) writeFileSync(file, String(peakKiB()));
});

function peakKiB(): number {
  if (process.platform !== 'linux') return process.resourceUsage().maxRSS;
  // There `maxRSS` begins with what the process held that started this one.
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]);
}
