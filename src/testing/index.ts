export { eventStoreConformance, stateStoreConformance } from './conformance.ts';
export type { ConformanceCase, ConformancePlace, ConformanceTarget } from './conformance.ts';
export { TestClock } from './test-clock.ts';
export { given } from './scenario.ts';
export type { Given, GivenEvent, Then, ScenarioOptions } from './scenario.ts';
export type { ThenView, ViewEvent } from './view-scenario.ts';
export { testIds } from './test-ids.ts';
export { sagaScenario } from './saga-scenario.ts';
export type {
  ExpectedEffect,
  ExpectedProgress,
  SagaMoment,
  SagaScenario,
  SagaScenarioOptions,
} from './saga-scenario.ts';
export type {
  AttemptFailure,
  OfKey,
  SagaActivityName,
  SagaEvent,
  SagaHappening,
  SagaHappenings,
} from './saga-happenings.ts';
export { fakeActivity } from './fake-activity.ts';
export type { FakeActivity, FakeCall } from './fake-activity.ts';
