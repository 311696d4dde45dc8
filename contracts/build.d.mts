/** Artifacts by contract name, as in `artifacts/`. */
export function compileContracts(): Record<string, unknown>;
