#!/usr/bin/env node
/** Begins with whatever Node.js there is: an older one is told what is missing, instead of failing over our syntax. */
const required = [24, 15] as const;
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);

if (major > required[0] || (major === required[0] && minor >= required[1])) {
  const { main } = await import('./main.ts');
  await main(process.argv);
} else {
  process.stderr.write(
    `error: eventsrc needs Node.js ${required.join('.')} or later; this is ${process.versions.node}\n  Install a newer Node.js.\n`,
  );
  process.exitCode = 1;
}
