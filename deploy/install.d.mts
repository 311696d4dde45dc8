/** The machine as `npm start` sees it; `glibc` is missing on systems with another C library. */
interface Machine {
  readonly platform: string;
  readonly arch: string;
  readonly glibc: string | undefined;
}

export function platformProblems(machine?: Machine): string[];
export function ensureInstalled(options: { readonly dev: boolean }): Promise<boolean>;
export function node24(): string | undefined;
