/**
 * aggregation: how the vectors of several members become one.
 *
 * Owns the sum plan, the two plans of today (shared statistics, model update), and `secagg`, the consent-gated secure sum:
 * key agreement, masks, shares, and the custodian that holds one member's secrets of one round.
 * Does not own: when a step is due (`round`), where secrets are stored (`peer`), how bytes travel (`wire`, `network`).
 * Main path: `plan.ts` → `update.ts` → `secagg/custodian.ts`. Pure and synchronous; fresh bytes are arguments.
 */
export { fewestMembers } from './limits.ts';
export {
  type PlanPurpose,
  planDigest,
  planSizeBytes,
  planSlots,
  type Segment,
  type SegmentSlot,
  type SegmentValues,
  type SumPlan,
} from './plan.ts';
export { accountsDigest, attemptContext, type ContextFields, roundContext } from './secagg/context.ts';
export {
  type Bundle,
  bundleDigest,
  Custodian,
  type CustodianSnapshot,
  type CustodianTerms,
  createSecrets,
  type OpenedShare,
  type SharesMessage,
  sumVectors,
} from './secagg/custodian.ts';
export { type RoundState, stateBytes, stateDigest, stateFromBytes, stateSizeBytes } from './state.ts';
export { decodeMoments, encodeMoments, type SharedStatistics, type StatisticsTerms, statisticsPlan } from './statistics.ts';
export { decodeUpdate, encodeUpdate, type LocalUpdate, type UpdateResult, type UpdateTerms, updatePlan } from './update.ts';
