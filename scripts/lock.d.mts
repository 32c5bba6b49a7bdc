export declare function withLock<Result>(file: string, action: () => Promise<Result> | Result): Promise<Result>;
