import { rmSync } from 'node:fs';
import { eventsrcCommands } from './bench/contestants/eventsrc-commands.ts';
for (const f of ['', '-wal', '-shm']) rmSync('/tmp/profm.db' + f, { force: true });
const m = await eventsrcCommands.run('/tmp/profm.db', { eventsMax: 60000, secondsMax: 30 });
console.log(Math.round(m.events / m.seconds), 'commands/s');
