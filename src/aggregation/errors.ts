import { defineErrors } from '../common/index.ts';

export const aggregationErrors = defineErrors({
  AGGREGATION_BAD_PLAN: {
    blame: 'self',
    cause: (d: { reason: string }) => `the sum plan does not fit: ${d.reason}`,
    remedy: 'Check the study: its model or its features are larger than a round allows.',
  },
  AGGREGATION_NOT_FINITE: {
    blame: 'self',
    cause: (d: { segment: string; index: number }) => `segment "${d.segment}" holds NaN or an infinite value at index ${d.index}`,
    remedy: 'Lower the learning rate or the clip norm of the study, or look for extreme values in the data.',
  },
  AGGREGATION_BAD_KEY: {
    blame: 'remote',
    cause: (d: { member: number; what: string }) => `member ${d.member} sent an unusable ${d.what}`,
    remedy: 'Nothing to do here: the member is left out of this attempt. Tell its operator when it happens again.',
  },
  AGGREGATION_BAD_SHARE: {
    blame: 'remote',
    cause: (d: { member: number; what: string }) => `member ${d.member} sent ${d.what}`,
    remedy: 'Nothing to do here: the share is not used. Tell the operator of the member when it happens again.',
  },
  AGGREGATION_BAD_STATE: {
    blame: 'remote',
    cause: (d: { sizeBytes: number }) => `these ${d.sizeBytes} bytes are not a round state`,
    remedy: 'The state is fetched again from another member.',
  },
  AGGREGATION_TOO_FEW: {
    blame: 'self',
    cause: (d: { rule: string; vectors: number; needed: number }) => `the rule "${d.rule}" merges at least ${d.needed} vectors, given were ${d.vectors}`,
    remedy: 'Nothing to do: the round ends without a result. Ask for a study with a smaller f when it happens again.',
  },
  AGGREGATION_ERASED: {
    blame: 'self',
    cause: (d: { attempt: number; what: string }) => `${d.what} of attempt ${d.attempt} was erased or never made`,
    remedy: 'Nothing to do: this attempt goes on without this member, or the next one starts.',
  },
});
