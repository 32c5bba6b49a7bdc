export const sagaIds = ['saga.timers', 'saga.idle'] as const;
export type SagaId = (typeof sagaIds)[number];
