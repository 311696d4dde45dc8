/**
 * aggregation: how the vectors of several members become one.
 *
 * Owns the sum plan, the two plans of today (shared statistics, model update), and `secagg`, the consent-gated secure sum:
 * key agreement, masks, shares, and the custodian that holds one member's secrets of one round; and `robust`, rules that merge vectors of which
 * some may do harm.
 * Does not own: when a step is due (`round`), where secrets are stored (`peer`), how bytes travel (`wire`, `network`).
 * Main path: `plan.ts` → `update.ts` → `secagg/custodian.ts`. Pure and synchronous; fresh bytes are arguments.
 */
export { broadcastLimitBytes, fewestMembers, pointGenerations } from './limits.ts';
export {
  encodeContribution,
  type PlanPurpose,
  planDigest,
  planSizeBytes,
  planSlots,
  type Segment,
  type SegmentSlot,
  type SegmentValues,
  type SumPlan,
} from './plan.ts';
export { drawnGroups, type GroupTree, groupsOfSet, leavesOfTree, mergeTree } from './robust/groups.ts';
export { levelledUpdate, type MergeSource, type MergeTerms, mergeVectors, wholeSource } from './robust/merge.ts';
export { fewestVectors, type MergeRule } from './robust/rule.ts';
export { accountsDigest, attemptContext, type ContextFields, roundContext } from './secagg/context.ts';
export { Custodian } from './secagg/custodian.ts';
export { hybridKeys, type KeyAgreement } from './secagg/keys.ts';
export { addPieces, type MaskStream, Masks } from './secagg/masking.ts';
export {
  checkOpening,
  type Opening,
  type OpeningCheck,
  type OpeningFacts,
  type OpeningKeys,
  openedUpdate,
  openingKeys,
  type Submitted,
} from './secagg/opening.ts';
export {
  type Bundle,
  bundleDigest,
  type CustodianSnapshot,
  type CustodianTerms,
  createSecrets,
  type OpenedShare,
  type SharesMessage,
} from './secagg/secrets.ts';
export { addShard, checkShardSum, shardPrinter, shardSumSizeBytes, sumShard } from './secagg/shard-sums.ts';
export {
  aggregatorOf,
  aggregatorOrder,
  auditedShard,
  auditorOf,
  checkPrints,
  type Exchange,
  type Fingerprint,
  fingerprintPoints,
  packPrints,
  type Shard,
  shardsOf,
  unpackPrints,
} from './secagg/shards.ts';
export { type RoundState, stateBytes, stateDigest, stateFromBytes, stateHeader, stateSizeBytes, stateSizeOf, stateStartSizeBytes, stateView } from './state.ts';
export { decodeMoments, encodeMoments, type SharedStatistics, type StatisticsTerms, statisticsPlan } from './statistics.ts';
export { CellTree } from './tables/cells.ts';
export { contribution } from './tables/contribution.ts';
export { afterCount, countPlan } from './tables/count-plan.ts';
export {
  type CountState,
  countSlots,
  countStateBytes,
  countStateFrom,
  countStateSizeBytes,
  firstCountState,
  isCountState,
  slotOf,
} from './tables/count-state.ts';
export { type CellFigures, type CellResult, cellResults, type Estimate, type ModelResult, modelResults } from './tables/estimates.ts';
export { type Counted, countedBytes, countedFrom, countedPairs, type Overlap, overlapOf } from './tables/overlap.ts';
export type { CountedRows, TableTerms } from './tables/terms.ts';
export { decodeUpdate, encodeUpdate, type LocalUpdate, roundingKey, type UpdateResult, type UpdateTerms, updatePlan } from './update.ts';
