/**
 * What the ledger orders about runs and rounds, as plain values. The `Rounds` contract emits each as one event;
 * `ledger` decodes it, `round` takes it as input. Members are given by their index in the run's roster (sorted by account).
 */
import type { Account, Digest, RunId, StudyId } from '../common/index.ts';

/** Indexes into the run's roster, ascending, without repeats. */
export type MemberSet = readonly number[];

/**
 * Terms of a run that the contract enforces; they come from the approved study. Times are the longest that a phase may take, in whole seconds of
 * ledger time; the contract sets shorter deadlines by the pace that it saw.
 */
export interface RunTerms {
  /** Rounds that must become FINAL before the run is complete, the statistics round included. */
  readonly rounds: number;
  /** Fewest members in any revealed sum: at least 3. */
  readonly minMembers: number;
  /** Attempts per round, 1 to 8. */
  readonly maxAttempts: number;
  readonly joinS: number;
  readonly shareS: number;
  /** For the first attempt this includes local training. */
  readonly commitS: number;
  readonly readyS: number;
  readonly revealS: number;
  /** Open mode: no masks; JOIN is followed by COMMIT, and every member sees every member's update. */
  readonly open: boolean;
  /** Members of a group that sums among itself first, at least 3; 0 for one sum over all; `namedGroups` where the study names the groups. */
  readonly groupSize: number;
  /** The version of the protocol in which the run is spoken. */
  readonly protocol: number;
}

/** The `groupSize` of a run whose groups the study names: larger than any roster, so it is never the size of drawn ones. */
export const namedGroups = 255;

/** Why a round ended without a result. */
export type VoidReason =
  | 'too-few-joined'
  | 'too-few-vouched'
  | 'too-few-left'
  | 'attempts-used-up'
  | 'sums-differ'
  | 'no-agreement'
  | 'rejected'
  | 'rolled-back';

/** How a run ended. `complete` says nothing about who took part: compare `present` with the roster. */
export type RunOutcome = 'complete' | 'failed' | 'stopped';

/** A fact about one round. The comment of each says which contract call causes it; `sinceS` is when the phase that it opens began. */
export type RoundFact =
  /** The run started, or the round before ended: phase JOIN. `roster` holds the members expected in this round. */
  | { readonly kind: 'opened'; readonly base: Digest; readonly plan: Digest; readonly roster: MemberSet; readonly sinceS: number; readonly deadlineS: number }
  /** `join`: a member's key bundle, by hash. */
  | { readonly kind: 'joined'; readonly member: number; readonly bundle: Digest }
  /** All of the roster joined, or the deadline passed with enough: phase SHARE. */
  | { readonly kind: 'joinClosed'; readonly joined: MemberSet; readonly sinceS: number; readonly deadlineS: number }
  /** `vouch`: the members whose shares this member holds and checked; may be said again with more. */
  | { readonly kind: 'vouched'; readonly member: number; readonly holds: MemberSet }
  /** The set of an attempt is fixed: phase COMMIT. Attempt 0 follows SHARE, later ones follow a failed attempt. */
  | { readonly kind: 'attemptOpened'; readonly attempt: number; readonly set: MemberSet; readonly sinceS: number; readonly deadlineS: number }
  /** `commit`: the Merkle root of a member's masked vector. */
  | { readonly kind: 'committed'; readonly attempt: number; readonly member: number; readonly root: Digest }
  /** All of the set committed: phase READY. `beacon` is the hash of the block in which that happened. */
  | { readonly kind: 'commitClosed'; readonly attempt: number; readonly sinceS: number; readonly deadlineS: number; readonly beacon: Digest }
  /** `have`: whose masked vectors this member holds, said when it cannot be READY in time. */
  | { readonly kind: 'have'; readonly attempt: number; readonly member: number; readonly holds: MemberSet }
  /** `ready`: an EIP-712 signature over (context, member list, sum). `signature` is 65 bytes in hexadecimal with 0x. */
  | { readonly kind: 'ready'; readonly attempt: number; readonly member: number; readonly context: Digest; readonly sum: Digest; readonly signature: string }
  /** n of n READY with one context and one sum: phase REVEAL. */
  | { readonly kind: 'readyClosed'; readonly attempt: number; readonly sum: Digest; readonly sinceS: number; readonly deadlineS: number }
  /** `vote`: the round state that a member computed, the model in it, the plan of the next round, and whether the member's own rows agree to it. */
  | { readonly kind: 'voted'; readonly member: number; readonly accept: boolean; readonly state: Digest; readonly model: Digest; readonly nextPlan: Digest }
  /** floor(2|U|/3)+1 equal accepting votes of the attempt's set U. */
  | { readonly kind: 'final'; readonly attempt: number; readonly set: MemberSet; readonly state: Digest; readonly model: Digest; readonly nextPlan: Digest }
  /** The round ended without a result; the base state stays. */
  | { readonly kind: 'void'; readonly attempt: number; readonly reason: VoidReason };

/** A fact about a run as a whole. */
export type RunFact =
  | {
      readonly kind: 'runStarted';
      readonly study: StudyId;
      readonly starter: Account;
      readonly roster: readonly Account[];
      readonly terms: RunTerms;
      readonly base: Digest;
      readonly plan: Digest;
    }
  /** A member that had dropped out is expected again from the next round on. */
  | { readonly kind: 'rejoined'; readonly member: number }
  /** A member takes no further part in this run. */
  | { readonly kind: 'left'; readonly member: number }
  /** The run goes on without these members; those of `suspended` have two strikes now and are not expected before they call `reinstate`. */
  | { readonly kind: 'struck'; readonly members: MemberSet; readonly suspended: MemberSet }
  /** A suspended member's strikes are taken away by itself. */
  | { readonly kind: 'reinstated'; readonly member: number }
  /** The starter took back every FINAL round after `to`. */
  | { readonly kind: 'rolledBack'; readonly to: number }
  /** `present` is the set of the last FINAL round. */
  | { readonly kind: 'runEnded'; readonly outcome: RunOutcome; readonly present: MemberSet };

/** A set with one more member, ascending; the same set where the member is in it. */
export function withMember(set: MemberSet, member: number): MemberSet {
  return set.includes(member) ? set : [...set, member].sort((a, b) => a - b);
}

/** Members as bits of one word: bit i is the member with index i. */
export function setToBits(set: MemberSet): bigint {
  return set.reduce((bits, member) => bits | (1n << BigInt(member)), 0n);
}

/** The indexes of the bits that are set, ascending; at most 128. */
export function bitsToSet(bits: bigint): MemberSet {
  return Array.from({ length: 128 }, (_, member) => member).filter((member) => (bits >> BigInt(member)) & 1n);
}

/** Where a round fact belongs. */
export interface RoundKey {
  readonly run: RunId;
  /** Ordinal within the run, from 0 (the statistics round, where the study has one). */
  readonly round: number;
}
