export const readIds = ['projection.lag', 'view.query', 'view.range'] as const;
export type ReadId = (typeof readIds)[number];
