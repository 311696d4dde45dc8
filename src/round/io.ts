/**
 * What goes into the round machine and what comes out. Inputs are authenticated and decoded before they get here;
 * effects are wishes, keyed by what they are about, that may be performed any number of times.
 * Tensors and secrets never enter: only digests and member indexes.
 */
import type { Exchange, GroupTree } from '../aggregation/index.ts';
import type { Account, Digest, StudyId } from '../common/index.ts';
import type { Item, MemberSet, RoundFact, RunTerms } from '../wire/index.ts';

/** A release of something that unmasks, remembered across rounds for rule R6. */
export interface Release {
  readonly base: Digest;
  readonly set: MemberSet;
  /** Each of them for itself, in open mode; else only their sum. */
  readonly open?: boolean;
}

/** What this member knows before the round begins. */
export interface RoundConfig {
  readonly chainId: number;
  readonly contract: Account;
  readonly study: StudyId;
  readonly run: number;
  readonly round: number;
  /** Accounts of the run's roster; a member is its index in this list. */
  readonly accounts: readonly Account[];
  readonly self: number;
  readonly terms: RunTerms;
  /** Ledger seconds after n-of-n READY before others' shares are asked for in place of a silent member's seed. */
  readonly shareGraceS: number;
  /** Sets over which a sum on some base was opened, or may have been, in any round of any run. */
  readonly earlierReleases: readonly Release[];
}

/** What the machine takes in. */
export type Input =
  /** The ledger's time moved: the only clock of the machine. */
  | { readonly kind: 'time'; readonly timeS: number }
  /** The ledger ordered a fact of this round; READY signatures in it were verified against `accounts`. */
  | { readonly kind: 'fact'; readonly fact: RoundFact }
  /**
   * This member holds the state that the round starts from, computed or checked by hash, and derived the plan from it: it may take part. `groups` are
   * those of the whole run where the study names them.
   */
  | { readonly kind: 'baseReady'; readonly base: Digest; readonly plan: Digest; readonly exchange: Exchange; readonly groups?: GroupTree }
  /** Keys and shares of this round are stored; this is the bundle's hash. */
  | { readonly kind: 'bundleMade'; readonly bundle: Digest }
  /** Another's bundle arrived and fits the hash on the ledger. */
  | { readonly kind: 'bundleHeld'; readonly from: number }
  /** Another's bundle fits the hash on the ledger but cannot be used. */
  | { readonly kind: 'bundleRefused'; readonly from: number }
  /** Another's shares arrived, open, and fit its bundle. */
  | { readonly kind: 'sharesHeld'; readonly from: number }
  /** This member's words of the sum are stored. */
  | { readonly kind: 'inputReady' }
  /** The masked vector of an attempt is stored whole; this is its Merkle root. */
  | { readonly kind: 'masked'; readonly attempt: number; readonly root: Digest }
  /** A crash left an incomplete masked vector behind: it is never computed again, so the attempt goes on without this member. */
  | { readonly kind: 'maskLost'; readonly attempt: number }
  /** Another's masked vector is stored, every chunk checked against its root. */
  | { readonly kind: 'vectorHeld'; readonly attempt: number; readonly member: number }
  /** A member's part of a shard is stored, every chunk checked against the root of its masked vector. */
  | { readonly kind: 'partHeld'; readonly attempt: number; readonly shard: number; readonly member: number }
  /** This member's own sum of a shard is stored under this root. */
  | { readonly kind: 'shardSummed'; readonly attempt: number; readonly shard: number; readonly root: Digest }
  /** The aggregator of a shard says what its sum is. */
  | {
      readonly kind: 'shardAnnounced';
      readonly attempt: number;
      readonly generation: number;
      readonly shard: number;
      readonly from: number;
      readonly root: Digest;
    }
  /** Another's point secret is stored and fits its bundle. */
  | { readonly kind: 'pointHeld'; readonly attempt: number; readonly generation: number; readonly from: number }
  /** The fingerprints of this member's own masked vector are stored; `audited` is the shard whose aggregator is looked at. */
  | { readonly kind: 'printed'; readonly attempt: number; readonly generation: number; readonly audited: number }
  /** Another's fingerprints are stored. */
  | { readonly kind: 'printsHeld'; readonly attempt: number; readonly generation: number; readonly from: number }
  /** An announced sum was fetched and compared with everybody's fingerprints; `blamed` are members whose fingerprints are not those of their vectors. */
  | {
      readonly kind: 'shardChecked';
      readonly attempt: number;
      readonly shard: number;
      readonly root: Digest;
      readonly right: boolean;
      readonly blamed: MemberSet;
    }
  /** The audited aggregator's own part was fetched and compared with its fingerprint. */
  | { readonly kind: 'partAudited'; readonly attempt: number; readonly member: number; readonly right: boolean }
  /** The masked sum over the set is stored; this is its digest, or in groups the root of the own group's. */
  | { readonly kind: 'summed'; readonly attempt: number; readonly sum: Digest }
  /** A member of another group says where the masked sum of its group is found. */
  | { readonly kind: 'groupStated'; readonly attempt: number; readonly from: number; readonly root: Digest }
  /** The masked sum of a group, by its place among the groups of the attempt, is stored. */
  | { readonly kind: 'groupHeld'; readonly attempt: number; readonly group: number }
  /** Another's self-mask seed is stored, revealed or rebuilt from shares, and fits its bundle. */
  | { readonly kind: 'seedHeld'; readonly attempt: number; readonly from: number }
  /** The sum is open and decoded: what this member votes for, and whether its own rows agree to it. */
  | { readonly kind: 'unmasked'; readonly attempt: number; readonly accept: boolean; readonly state: Digest; readonly model: Digest; readonly nextPlan: Digest }
  /** Secrets of all attempts below this one are destroyed. */
  | { readonly kind: 'erased'; readonly below: number }
  /** The state that FINAL names is stored here. */
  | { readonly kind: 'stateHeld'; readonly state: Digest }
  /** These members left the run or were revoked: nothing more comes from them. */
  | { readonly kind: 'gone'; readonly members: MemberSet; readonly timeS: number }
  /** A member asks for something. */
  | { readonly kind: 'requested'; readonly by: number; readonly item: Item };

/** Transactions of a round, without the run and round they belong to. */
export type RoundPost =
  | { readonly kind: 'join'; readonly bundle: Digest }
  | { readonly kind: 'vouch'; readonly holds: MemberSet }
  | { readonly kind: 'commit'; readonly attempt: number; readonly root: Digest }
  | { readonly kind: 'have'; readonly attempt: number; readonly holds: MemberSet }
  | { readonly kind: 'ready'; readonly attempt: number; readonly context: Digest; readonly members: readonly Account[]; readonly sum: Digest }
  | { readonly kind: 'vote'; readonly accept: boolean; readonly state: Digest; readonly model: Digest; readonly nextPlan: Digest }
  | { readonly kind: 'advance' };

/** What the machine wants done. */
export type Effect =
  /** Make and store keys, seeds and shares for the members of `roster`; then `bundleMade`. */
  | { readonly kind: 'makeBundle'; readonly context: Digest; readonly roster: MemberSet; readonly threshold: number; readonly generations: number }
  /** Compute this member's words (training, statistics) and store them; then `inputReady`. */
  | { readonly kind: 'prepareInput'; readonly roster: MemberSet }
  /** Send a transaction. */
  | { readonly kind: 'post'; readonly post: RoundPost }
  /** Ask `from` for something; its arrival is an input of its own. */
  | { readonly kind: 'request'; readonly from: number; readonly item: Item }
  /** Send `to` what it asked for. The only effect that lets anything leave besides transactions and masked vectors. */
  | { readonly kind: 'answer'; readonly to: number; readonly item: Item }
  /** Mask the words for one set (in open mode: leave them), store the result, offer it by its root; then `masked` or `maskLost`. */
  | { readonly kind: 'mask'; readonly attempt: number; readonly set: MemberSet }
  /** Fetch a masked vector by its root from any of `holders`; then `vectorHeld`. */
  | { readonly kind: 'fetchVector'; readonly attempt: number; readonly member: number; readonly root: Digest; readonly holders: MemberSet }
  /** Fetch a member's part of a shard by the root of its masked vector; then `partHeld`. */
  | { readonly kind: 'fetchPart'; readonly attempt: number; readonly shard: number; readonly member: number; readonly root: Digest }
  /** Sum a shard over the parts of the set, with what goes over 32 bits, and store it; then `shardSummed`. */
  | { readonly kind: 'sumShard'; readonly attempt: number; readonly shard: number; readonly set: MemberSet }
  /** Take the fingerprints of this member's own masked vector at the points of a generation; then `printed`. */
  | { readonly kind: 'print'; readonly attempt: number; readonly generation: number; readonly set: MemberSet }
  /** Fetch an announced sum from its aggregator and compare it with the fingerprints; then `shardChecked`. */
  | {
      readonly kind: 'checkShard';
      readonly attempt: number;
      readonly generation: number;
      readonly shard: number;
      readonly root: Digest;
      readonly set: MemberSet;
      readonly holders: MemberSet;
    }
  /** Fetch the audited aggregator's own part of its shard and compare it with its fingerprint; then `partAudited`. */
  | { readonly kind: 'auditPart'; readonly attempt: number; readonly shard: number; readonly member: number; readonly root: Digest; readonly set: MemberSet }
  /** Add the masked vectors of the set, or put its shards together (in open mode: merge them by the study's rule); then `summed`. */
  | { readonly kind: 'sum'; readonly attempt: number; readonly set: MemberSet }
  /** Fetch the masked sum of another group by its root from any of `holders`; then `groupHeld`. */
  | { readonly kind: 'fetchGroup'; readonly attempt: number; readonly group: number; readonly root: Digest; readonly holders: MemberSet }
  /** Take the self masks from the sum, decode, store the new state; then `unmasked`. */
  | { readonly kind: 'unmask'; readonly attempt: number; readonly set: MemberSet }
  /** Destroy the secrets of all attempts below `below`; then `erased`. */
  | { readonly kind: 'erase'; readonly below: number }
  /** Fetch the state by its hash from any of `holders`; then `stateHeld`. */
  | { readonly kind: 'fetchState'; readonly state: Digest; readonly holders: MemberSet };

/** Names an effect by what it is about: two effects with one key are the same wish. */
export function effectKey(effect: Effect): string {
  switch (effect.kind) {
    case 'post':
      return 'attempt' in effect.post ? `post/${effect.post.kind}/${effect.post.attempt}` : `post/${effect.post.kind}`;
    case 'request':
      return `request/${effect.from}/${itemKey(effect.item)}`;
    case 'answer':
      return `answer/${effect.to}/${itemKey(effect.item)}`;
    case 'mask':
    case 'sum':
    case 'unmask':
      return `${effect.kind}/${effect.attempt}`;
    case 'fetchVector':
      return `fetchVector/${effect.attempt}/${effect.member}`;
    case 'fetchGroup':
      return `fetchGroup/${effect.attempt}/${effect.group}`;
    case 'fetchPart':
      return `fetchPart/${effect.attempt}/${effect.shard}/${effect.member}`;
    case 'sumShard':
    case 'auditPart':
      return `${effect.kind}/${effect.attempt}/${effect.shard}`;
    case 'print':
      return `print/${effect.attempt}/${effect.generation}`;
    case 'checkShard':
      return `checkShard/${effect.attempt}/${effect.shard}/${effect.root}`;
    case 'erase':
      return `erase/${effect.below}`;
    case 'makeBundle':
    case 'prepareInput':
    case 'fetchState':
      return effect.kind;
  }
}

/** Names an item that members ask each other for. */
export function itemKey(item: Item): string {
  switch (item.kind) {
    case 'bundle':
    case 'shares':
      return item.kind;
    case 'seed':
    case 'groupSum':
      return `${item.kind}/${item.attempt}`;
    case 'seedShare':
      return `seedShare/${item.attempt}/${item.owner}`;
    case 'bundleOf':
      return `bundleOf/${item.owner}`;
    case 'shardSum':
      return `shardSum/${item.attempt}/${item.generation}/${item.shard}`;
    case 'point':
    case 'prints':
      return `${item.kind}/${item.attempt}/${item.generation}`;
  }
}
