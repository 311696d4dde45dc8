/** A global state, as numbers into the tables of `ledger.ts` and `locals.ts`. */

/** One global state, as numbers into the tables. `marks` says how far each fault is. */
export interface State {
  readonly ledger: number;
  readonly locals: readonly number[];
  readonly at: readonly number[];
  readonly marks: readonly string[];
}

/** A step to another state, in words. */
export interface Step {
  readonly label: string;
  readonly state: State;
  readonly wrong: readonly string[];
}

/** A state that is being worked on. */
export interface Draft {
  ledger: number;
  readonly locals: number[];
  readonly at: number[];
  readonly marks: string[];
  readonly wrong: string[];
}

/** Names a state: two with one key are the same. */
export function key({ ledger, locals, at, marks }: State): string {
  return `${ledger}|${locals}|${at}|${marks.join('|')}`;
}
