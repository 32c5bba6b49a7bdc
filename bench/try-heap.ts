import { eventsrcSagas } from './contestants/sagas.ts';
import { rmSync } from 'node:fs';
import { Session } from 'node:inspector/promises';
for (const e of ['', '-wal', '-shm']) rmSync('/tmp/ts.db' + e, { force: true });
const s = new Session();
s.connect();
await s.post('HeapProfiler.startSampling', {
  samplingInterval: 32768,
  includeObjectsCollectedByMajorGC: true,
  includeObjectsCollectedByMinorGC: true,
} as never);
await eventsrcSagas.run('/tmp/ts.db', { eventsMax: 10000, secondsMax: 30 });
const { profile } = await s.post('HeapProfiler.stopSampling');
const self = new Map<string, number>();
let sum = 0;
const tot = new Map<string, number>();
const walk = (n: any, path: string[]) => {
  const k = `${n.callFrame.functionName} ${n.callFrame.url.split('/').slice(-2).join('/')}:${n.callFrame.lineNumber + 1}`;
  self.set(k, (self.get(k) ?? 0) + n.selfSize);
  sum += n.selfSize;
  const p = [...path, k];
  for (const x of new Set(p)) tot.set(x, (tot.get(x) ?? 0) + n.selfSize);
  for (const c of n.children) walk(c, p);
};
walk(profile.head, []);
console.log('KB per saga', sum / 11000 / 1024);
for (const [k, v] of [...self].sort((a, b) => b[1] - a[1]).slice(0, 45)) console.log((v / 11000 / 1024).toFixed(2), k);
console.log('TOTAL');
for (const [k, v] of [...tot].sort((a, b) => b[1] - a[1]).slice(0, 45)) console.log((v / 11000 / 1024).toFixed(2), k);
