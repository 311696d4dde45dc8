/** The text of `src/aggregation/kernels/module.ts` that its source compiles to. */
export function moduleText(): Promise<string>;
