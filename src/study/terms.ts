/** What the ledger enforces of a study. */
import type { RunTerms } from '../wire/index.ts';
import type { Study } from './package.ts';

/** True where the run begins with one secure sum of the features' moments (round 0). */
export function hasStatisticsRound(study: Study): boolean {
  return study.manifest.standardisation === 'swarm';
}

/** The terms of a run of this study: its update rounds, and the statistics round where it has one. */
export function runTerms(study: Study): RunTerms {
  const { terms, training } = study.manifest;
  return { rounds: training.rounds + (hasStatisticsRound(study) ? 1 : 0), ...terms };
}
