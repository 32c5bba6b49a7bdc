/** Preloaded by run.mjs: ends this process soon after the one that started it was killed, so that none is orphaned. */
import { isMainThread } from 'node:worker_threads';

const parent = process.ppid;
if (isMainThread) {
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    process.kill(process.pid, 'SIGTERM');
  }, 1_000).unref();
}
