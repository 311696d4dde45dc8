/** Time as an argument: rooms that wait are given a `Clock`, so that a simulation owns time. */

/** Milliseconds that only grow, and waits that end early when the signal fires. */
export interface Clock {
  /** Milliseconds since an arbitrary start; never runs back. */
  nowMs(): number;
  /** Milliseconds since 1970 by the machine's calendar clock: for people and file names, never for decisions. */
  calendarMs(): number;
  /** Resolves after `ms`; rejects with COMMON_CANCELLED when `signal` fires first. */
  sleep(ms: number, options: { readonly signal: AbortSignal }): Promise<void>;
  /** A signal that fires after `ms`, or when `signal` does. Its timer never keeps the process alive. */
  timeout(ms: number, options: { readonly signal: AbortSignal }): AbortSignal;
}
