/** One at a time, across processes: a file that exists while its owner, whose process id it holds, is at work. */
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const waitMsMax = 600_000;
const noticeAfterMs = 2_000;

/**
 * Runs `action` while no other process holds `file`. What a killed owner left behind is removed.
 * @template Result
 * @param {string} file
 * @param {() => Promise<Result> | Result} action
 * @returns {Promise<Result>}
 */
export async function withLock(file, action) {
  mkdirSync(dirname(file), { recursive: true });
  const started = Date.now();
  let noticed = false;
  while (!tryCreate(file)) {
    const waitedMs = Date.now() - started;
    if (waitedMs > waitMsMax)
      throw new Error(`Gave up waiting for process ${ownerOf(file)}: end it, or remove ${file}.`);
    if (waitedMs > noticeAfterMs && !noticed) {
      process.stderr.write(`Waiting for process ${ownerOf(file)}, which is setting up this checkout…\n`);
      noticed = true;
    }
    removeIfAbandoned(file);
    await delay(50);
  }
  try {
    return await action();
  } finally {
    rmSync(file, { force: true });
  }
}

/** Linked rather than written, so that the file never exists without its owner's id. */
function tryCreate(file) {
  const own = `${file}.${process.pid}`;
  writeFileSync(own, String(process.pid));
  try {
    linkSync(own, file);
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(own, { force: true });
  }
}

/** Under a lock of its own: else the slower of two removers would remove the lock that the faster one just took. */
function removeIfAbandoned(file) {
  if (!isAbandoned(file) || !tryCreate(`${file}.removing`)) return;
  try {
    if (isAbandoned(file)) rmSync(file, { force: true });
  } finally {
    rmSync(`${file}.removing`, { force: true });
  }
}

function isAbandoned(file) {
  const owner = ownerOf(file);
  if (owner === undefined) return false;
  try {
    process.kill(owner, 0);
    return false;
  } catch (error) {
    return error.code === 'ESRCH';
  }
}

function ownerOf(file) {
  try {
    return Number(readFileSync(file, 'utf8'));
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
}
