/** What the contract model is asked and what it answers. */
import type { Account, Digest } from '../../src/common/index.ts';
import type { MemberSet, RoundFact, RunFact, RunTerms } from '../../src/wire/index.ts';

/** A call of the contract; `round` is absent where the call is about the run. READY carries the member list that its signature covers. */
export type Call =
  | { readonly kind: 'stopRun' }
  | { readonly kind: 'leaveRun' }
  | { readonly kind: 'rejoinRun' }
  | { readonly kind: 'reinstate' }
  | { readonly kind: 'rollBack'; readonly keep: number }
  | { readonly kind: 'join'; readonly round: number; readonly bundle: Digest }
  | { readonly kind: 'vouch'; readonly round: number; readonly holds: MemberSet }
  | { readonly kind: 'commit'; readonly round: number; readonly attempt: number; readonly root: Digest }
  | { readonly kind: 'have'; readonly round: number; readonly attempt: number; readonly holds: MemberSet }
  | {
      readonly kind: 'ready';
      readonly round: number;
      readonly attempt: number;
      readonly context: Digest;
      readonly members: readonly Account[];
      readonly sum: Digest;
      readonly signature: string;
    }
  | { readonly kind: 'vote'; readonly round: number; readonly accept: boolean; readonly state: Digest; readonly model: Digest; readonly nextPlan: Digest }
  | { readonly kind: 'advance'; readonly round: number };

/** A fact as the chain emits it. */
export type ModelFact = { readonly scope: 'run'; readonly fact: RunFact } | { readonly scope: 'round'; readonly round: number; readonly fact: RoundFact };

/** What a call came to. */
export type Answer = { readonly facts: readonly ModelFact[] } | { readonly refused: string };

/** What a run starts with. */
export interface RunStart {
  readonly study: Digest;
  readonly starter: Account;
  readonly roster: readonly Account[];
  readonly terms: RunTerms;
  readonly base: Digest;
  readonly plan: Digest;
}
