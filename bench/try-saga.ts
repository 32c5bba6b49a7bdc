(globalThis as any).NODOCS = process.env.NODOCS === '1';
import { eventsrcSagas } from './contestants/sagas.ts';
import { eventsrc } from './contestants/eventsrc.ts';
import { rmSync } from 'node:fs';
const rm = () => {
  for (const e of ['', '-wal', '-shm']) rmSync('/tmp/ts.db' + e, { force: true });
};
for (let i = 0; i < Number(process.argv[2] ?? 1); i++) {
  rm();
  let c = process.threadCpuUsage();
  const m = await eventsrcSagas.run('/tmp/ts.db', { eventsMax: 20000, secondsMax: 30 });
  let d = process.threadCpuUsage(c);
  rm();
  c = process.threadCpuUsage();
  const a = process.argv[3]
    ? { events: 1, seconds: 1 }
    : await eventsrc({ inFlight: 256, eventsPerAppend: 1 }).run('/tmp/ts.db', { eventsMax: 60000, secondsMax: 20 });
  let e = process.threadCpuUsage(c);
  console.log(
    'sagas/s',
    m.events / m.seconds,
    'cpu us/saga',
    (d.user + d.system) / (m.events * 1.1),
    'us/append',
    (e.user + e.system) / (a.events * 1.1),
  );
}
console.log('batches', (globalThis as any).batches);
