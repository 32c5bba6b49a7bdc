export const moveIds = ['move.export', 'move.import'] as const;
export type MoveId = (typeof moveIds)[number];
