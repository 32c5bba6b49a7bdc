export const largeIds = ['growth.append', 'growth.load', 'open.events', 'open.receipts', 'memory', 'size'] as const;
export type LargeId = (typeof largeIds)[number];
