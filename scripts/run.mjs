/**
 * node scripts/run.mjs FILE.ts [args…]: installs and builds what is missing or out of date, then runs FILE under the
 * Node that package.json names. Plain JavaScript, because the machine's own Node may be older than that. Everything
 * it has to say goes to stderr: stdout belongs to FILE.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { withLock } from './lock.mjs';

const root = resolve(fileURLToPath(import.meta.url), '../..');
const node = join(root, 'node_modules/.bin/node');
const lockfile = join(root, 'package-lock.json');
const installedStamp = join(root, 'node_modules/.eventsrc-installed');

try {
  await ensureInstalled();
  await ensureBuilt();
  await runFile(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`${error.message.trimEnd()}\n`);
  process.exitCode = 1;
}

async function ensureInstalled() {
  if (isInstalled()) return;
  await withLock(join(root, '.tmp/install.lock'), async () => {
    if (isInstalled()) return;
    process.stderr.write('Installing the development dependencies…\n');
    // Not `npm ci`: it refuses a lockfile without the other platforms' builds of a package, and these are missing where
    // the registry in reach does not offer them. Flags, because the environment (NODE_ENV=production, npm run --silent)
    // may say otherwise.
    const flags = ['--no-save', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'];
    const { code, output } = await runNpm(['install', ...flags]);
    if (code !== 0) throw new Error(`npm install failed:\n${output}`);
    if (!existsSync(node))
      throw new Error(`npm brought no ${node}. Remove node_modules; allow install scripts; repeat.`);
    writeFileSync(installedStamp, lockfileDigest());
  });
}

/** Installed from this very lockfile: by this script, or by a person's own npm run since the lockfile changed. */
function isInstalled() {
  if (!existsSync(node)) return false;
  if (existsSync(installedStamp) && readFileSync(installedStamp, 'utf8') === lockfileDigest()) return true;
  const written = statSync(join(root, 'node_modules/.package-lock.json'), { throwIfNoEntry: false });
  if (written === undefined || written.mtimeMs < statSync(lockfile).mtimeMs) return false;
  writeFileSync(installedStamp, lockfileDigest());
  return true;
}

function lockfileDigest() {
  return createHash('sha256').update(readFileSync(lockfile)).digest('hex');
}

async function ensureBuilt() {
  const child = spawn(node, [join(root, 'scripts/build.ts'), '--if-stale'], { cwd: root, stdio: ['ignore', 2, 2] });
  passOnSignals(child);
  const [code] = await once(child, 'exit');
  if (code !== 0) throw new Error('The build failed: nothing was run.');
}

/** Runs npm without stdin and returns all that it wrote. */
async function runNpm(args) {
  const child = spawn('npm', args, { cwd: root, env: npmEnvironment(), stdio: ['ignore', 'pipe', 'pipe'] });
  passOnSignals(child);
  const chunks = [];
  child.stdout.on('data', (chunk) => chunks.push(chunk));
  child.stderr.on('data', (chunk) => chunks.push(chunk));
  const [code] = await once(child, 'close');
  return { code, output: Buffer.concat(chunks).toString() };
}

/** npm must not run on the Node that it is about to replace, which npm itself puts first on the PATH. */
function npmEnvironment() {
  const own = join(root, 'node_modules/.bin');
  const path = (process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== own);
  return { ...process.env, PATH: path.join(delimiter) };
}

async function runFile([file, ...args]) {
  if (file === undefined) throw new Error('Usage: node scripts/run.mjs FILE.ts [args…]');
  const preload = new URL('./follow-parent.mjs', import.meta.url).href;
  const child = spawn(node, ['--import', preload, file, ...args], { stdio: 'inherit' });
  passOnSignals(child);
  const [code, signal] = await once(child, 'exit');
  if (signal === null) process.exit(code);
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
  // A signal that does not end this process ends it as a shell would report it.
  await delay(100);
  process.exit(128 + constants.signals[signal]);
}

/**
 * npm and terminals signal whole groups, so one wish may arrive several times: each kind is passed on once. What
 * Ctrl-C sends, the child has from the terminal already.
 */
function passOnSignals(child) {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    let isPassedOn = signal === 'SIGINT' && process.stdin.isTTY === true;
    const passOn = () => {
      if (!isPassedOn) child.kill(signal);
      isPassedOn = true;
    };
    process.on(signal, passOn);
    child.once('exit', () => process.off(signal, passOn));
  }
}
