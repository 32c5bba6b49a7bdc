export { eventStoreConformance } from './conformance.ts';
export type { ConformanceCase, ConformancePlace, ConformanceTarget } from './conformance.ts';
export { TestClock } from './test-clock.ts';
