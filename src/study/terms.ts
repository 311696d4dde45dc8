/** What the ledger enforces of a study. */
import { namedGroups, type RunTerms } from '../wire/index.ts';
import { isTraining, type Study } from './package.ts';
import type { StatisticsManifest } from './statistics-manifest.ts';

/** True where the run of a study that trains begins with one secure sum of the features' moments (round 0). */
export function hasStatisticsRound(study: Study): boolean {
  return isTraining(study) && study.manifest.standardisation === 'swarm';
}

/** True where every member of the run sees every member's update. */
export function isOpen(study: Study): boolean {
  return isTraining(study) && study.manifest.terms.mode === 'open';
}

/** True where a study that counts asks each site whether its own share of a cell is too large to be shown. */
export function hasDominanceRound({ disclosure }: StatisticsManifest): boolean {
  return disclosure.dominance < 1;
}

/** Sums of a run: for a study that counts who contributes, the tables, votes on dominance, and the steps of its models. */
function roundsOf(study: Study): number {
  if (isTraining(study)) return study.manifest.training.rounds + (hasStatisticsRound(study) ? 1 : 0);
  const { manifest } = study;
  return 2 + (hasDominanceRound(manifest) ? 1 : 0) + (manifest.model.length > 0 ? manifest.steps : 0);
}

/** The terms of a run of this study but for the protocol's version: its update rounds, and the statistics round where it has one. */
export function runTerms(study: Study): Omit<RunTerms, 'protocol'> {
  const { minMembers, maxAttempts, joinS, shareS, readyS, revealS } = study.manifest.terms;
  const groups = isTraining(study) ? study.manifest.terms.groups : undefined;
  return {
    rounds: roundsOf(study),
    minMembers,
    maxAttempts,
    joinS,
    shareS,
    commitS: commitS(study.manifest.kind === 'training' ? study.manifest.training.budgetS : study.manifest.budgetS),
    readyS,
    revealS,
    open: isOpen(study),
    groupSize: groups === undefined ? 0 : 'size' in groups ? groups.size : namedGroups,
  };
}

/** What an audit window means for the site that approves it, in sentences; none where the study has none. */
export function auditSentences({ manifest }: Study): readonly string[] {
  if (!manifest.terms.audit) return [];
  return [
    "AUDIT WINDOW: for each round this peer keeps what opens this site's own part, sealed to the institution's offline key.",
    'Only this institution can open it, round by round, for an auditor of its choice. Whoever gets the offline key and these records sees its updates.',
  ];
}

/** Longest COMMIT: the budget twice, for a step that outlasts it and a slow start, and a minute for masking and the ledger. */
function commitS(budgetS: number): number {
  return 2 * budgetS + 60;
}
