/** Loaded before a program: writes how much memory it held at most, in KiB, into the file that PEAK_MEMORY names. */
import { writeFileSync } from 'node:fs';

process.on('exit', () => {
  const file = process.env['PEAK_MEMORY'];
  if (file !== undefined) writeFileSync(file, String(process.resourceUsage().maxRSS));
});
