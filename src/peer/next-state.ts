/** What a run carries from round to round, whatever its study asks, and what a finished sum gives. */
import { type CountState, countStateFrom, isCountState, type RoundState, type SumPlan, stateFromBytes } from '../aggregation/index.ts';
import type { Digest } from '../common/index.ts';

/** The state of a run: a model, or what was counted. */
export type RunState = RoundState | CountState;

/** Reads canonical bytes of either. Throws AGGREGATION_BAD_STATE. */
export function runStateFrom(bytes: Uint8Array): RunState {
  return isCountState(bytes) ? countStateFrom(bytes) : stateFromBytes(bytes);
}

/** What a finished sum says to people. */
export interface RoundFigures {
  readonly purpose: SumPlan['purpose'];
  /** Training rows of all members of the sum; of a study that counts, all rows that may be told. */
  readonly rows: number;
  /** Mean loss over these rows at the state that the round started from; undefined where nothing was trained. */
  readonly meanLoss: number | undefined;
  /** Values that had to be cut to the plan's range, over all members. */
  readonly saturated: number;
  /** This member's own local steps, done of asked. */
  readonly steps?: { readonly done: number; readonly asked: number };
  /** Whether this member's own rows agreed to the result; absent where the study does not ask. */
  readonly agreed?: boolean;
}

/** The state after a sum, and the plan of the sum after that. */
export interface NextState {
  readonly state: RunState;
  readonly hash: Digest;
  readonly model: Digest;
  readonly nextPlan: Digest;
  readonly figures: RoundFigures;
}
