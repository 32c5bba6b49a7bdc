export { eventStoreConformance, stateStoreConformance } from './conformance.ts';
export type { ConformanceCase, ConformancePlace, ConformanceTarget } from './conformance.ts';
export { TestClock } from './test-clock.ts';
export { given } from './scenario.ts';
export type { Given, GivenEvent, Then, ScenarioOptions } from './scenario.ts';
export type { ThenView, ViewEvent } from './view-scenario.ts';
export { testIds } from './test-ids.ts';
