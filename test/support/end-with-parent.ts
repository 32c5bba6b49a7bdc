/** Preloaded by every program of the tests: what a killed test has started would go on for ever. */
import { Socket } from 'node:net';

const starter = process.stdin;
starter.once('close', () => process.exit(1)).resume();
// Listening doesn't keep the program running.
if (starter instanceof Socket) starter.unref();
