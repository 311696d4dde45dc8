/**
 * The ledger port: what the rest of Schwarm may ask of a chain. `evm/` is the adapter for any EVM JSON-RPC engine.
 * One compliance suite (`test/compliance/ledger.ts`) holds for every engine behind it.
 */
import type { Account, Digest, PeerId, StudyId } from '../common/index.ts';
import type { MemberSet, RoundFact, RoundKey, RunFact, RunTerms } from '../wire/index.ts';

/** A member as the ledger has it. */
export interface Member {
  readonly account: Account;
  readonly peerId: PeerId;
  /** At most 64 bytes of UTF-8; untrusted text, to be escaped wherever it is shown. */
  readonly name: string;
  readonly active: boolean;
}

/** What a proposal would do once enough members voted for it. */
export type ProposalAction =
  | { readonly kind: 'admit'; readonly account: Account; readonly peerId: PeerId; readonly name: string }
  | { readonly kind: 'revoke'; readonly account: Account };

/** A fact about members, studies or records. */
export type ConsortiumFact =
  | { readonly kind: 'proposed'; readonly proposal: number; readonly by: Account; readonly action: ProposalAction; readonly votesNeeded: number }
  | { readonly kind: 'proposalVoted'; readonly proposal: number; readonly by: Account; readonly support: boolean }
  | { readonly kind: 'admitted'; readonly account: Account; readonly peerId: PeerId; readonly name: string }
  | { readonly kind: 'revoked'; readonly account: Account }
  /** `root` is the Merkle root and `sizeBytes` the size of the packed study, for the chunk protocol. */
  | { readonly kind: 'studyPublished'; readonly study: StudyId; readonly by: Account; readonly root: Digest; readonly sizeBytes: number }
  | { readonly kind: 'studyDecided'; readonly study: StudyId; readonly by: Account; readonly approved: boolean; readonly dataVersion: Digest }
  /** A member's signed statement about a data set, a budget or a lineage; `label` is at most 31 bytes of ASCII. */
  | { readonly kind: 'recorded'; readonly by: Account; readonly label: string; readonly subject: Digest; readonly hash: Digest };

/** One event of the ledger in its order. `id` is `block:logIndex`, unique and growing on one chain. */
export type LedgerEvent = {
  readonly id: string;
  readonly block: number;
  readonly timeS: number;
  readonly transaction: string;
} & (
  | { readonly scope: 'consortium'; readonly fact: ConsortiumFact }
  | { readonly scope: 'run'; readonly run: number; readonly fact: RunFact }
  | ({ readonly scope: 'round'; readonly fact: RoundFact } & RoundKey)
);

/** Where a reader of events stands: it has seen every event up to and including this block. */
export interface LedgerCursor {
  readonly block: number;
  /** Hash of that block, by which a reorganisation or another chain is noticed. */
  readonly hash: string;
}

/** New events since the last batch (possibly none) and the time of the head: ledger time moves also without events. */
export interface LedgerBatch {
  readonly events: readonly LedgerEvent[];
  readonly cursor: LedgerCursor;
  /** Timestamp of the newest block in seconds since 1970. */
  readonly timeS: number;
  /** No newer block was known when this was read: a reader that was away has caught up. */
  readonly isLatest: boolean;
}

/** What a member may write. Each is one transaction of the member's own account. */
export type LedgerTransaction =
  | { readonly kind: 'propose'; readonly action: ProposalAction }
  | { readonly kind: 'voteProposal'; readonly proposal: number; readonly support: boolean }
  | { readonly kind: 'record'; readonly label: string; readonly subject: Digest; readonly hash: Digest }
  | { readonly kind: 'publishStudy'; readonly study: StudyId; readonly root: Digest; readonly sizeBytes: number }
  | { readonly kind: 'decideStudy'; readonly study: StudyId; readonly approved: boolean; readonly dataVersion: Digest }
  | {
      readonly kind: 'startRun';
      readonly study: StudyId;
      readonly roster: readonly Account[];
      readonly terms: RunTerms;
      readonly base: Digest;
      readonly plan: Digest;
    }
  | { readonly kind: 'stopRun'; readonly run: number }
  | { readonly kind: 'leaveRun'; readonly run: number }
  | { readonly kind: 'rejoinRun'; readonly run: number }
  | { readonly kind: 'reinstate'; readonly run: number }
  /** `keep` FINAL rounds stand, at least one; the later ones are taken back. */
  | { readonly kind: 'rollBack'; readonly run: number; readonly keep: number }
  | ({ readonly kind: 'join'; readonly bundle: Digest } & RoundKey)
  | ({ readonly kind: 'vouch'; readonly holds: MemberSet } & RoundKey)
  | ({ readonly kind: 'commit'; readonly attempt: number; readonly root: Digest } & RoundKey)
  | ({ readonly kind: 'have'; readonly attempt: number; readonly holds: MemberSet } & RoundKey)
  /** The adapter signs (context, `members`, sum) by EIP-712 with the member's account. */
  | ({ readonly kind: 'ready'; readonly attempt: number; readonly context: Digest; readonly members: readonly Account[]; readonly sum: Digest } & RoundKey)
  | ({ readonly kind: 'vote'; readonly accept: boolean; readonly state: Digest; readonly model: Digest; readonly nextPlan: Digest } & RoundKey)
  /** Closes a phase whose deadline has passed, or in which only members are missing that left or were revoked. */
  | ({ readonly kind: 'advance' } & RoundKey);

/** A transaction that is in a block. */
export interface Receipt {
  readonly transaction: string;
  readonly block: number;
}

/** How the ledger is run, always in sight of people. */
export type LedgerMode = 'embedded' | 'consortium';

/** One member's access to the consortium's ledger. */
export interface Ledger extends AsyncDisposable {
  readonly chainId: number;
  /** Address of the `Rounds` contract, from which the other two are read: the consortium's identity with `chainId`. */
  readonly contract: Account;
  /** This member's account. */
  readonly account: Account;
  /**
   * Events after `cursor` (from the start of the consortium where absent), each exactly once and in order, then batches as blocks come.
   * Survives restarts of the RPC node. Ends only by `signal`. Throws LEDGER_REORGANISED where the cursor's block is not on the chain any more.
   */
  batches(cursor: LedgerCursor | undefined, options: { readonly signal: AbortSignal }): AsyncIterable<LedgerBatch>;
  /**
   * Sends one transaction and waits until it is in a block. Throws LEDGER_REFUSED (contract's reason in `detail.reason`) where the contract
   * refuses it, LEDGER_UNREACHABLE where no answer came.
   */
  submit(transaction: LedgerTransaction, options: { readonly signal: AbortSignal }): Promise<Receipt>;
  /** The signer of a READY fact, for any (context, member list, sum); undefined where the signature is not valid. */
  readySigner(ready: { readonly context: Digest; readonly members: readonly Account[]; readonly sum: Digest; readonly signature: string }): Account | undefined;
  /** Signs arbitrary bytes by EIP-191 with the member's account: 65 bytes in hexadecimal with 0x. */
  sign(message: Uint8Array): Promise<string>;
}
