/** What the ledger enforces of a study. */
import { namedGroups, type RunTerms } from '../wire/index.ts';
import type { Study } from './package.ts';

/** True where the run begins with one secure sum of the features' moments (round 0). */
export function hasStatisticsRound(study: Study): boolean {
  return study.manifest.standardisation === 'swarm';
}

/** True where every member of the run sees every member's update. */
export function isOpen(study: Study): boolean {
  return study.manifest.terms.mode === 'open';
}

/** The terms of a run of this study but for the protocol's version: its update rounds, and the statistics round where it has one. */
export function runTerms(study: Study): Omit<RunTerms, 'protocol'> {
  const { terms, training } = study.manifest;
  const { mode, groups, minMembers, maxAttempts, joinS, shareS, readyS, revealS } = terms;
  const rounds = training.rounds + (hasStatisticsRound(study) ? 1 : 0);
  return {
    rounds,
    minMembers,
    maxAttempts,
    joinS,
    shareS,
    commitS: commitS(training.budgetS),
    readyS,
    revealS,
    open: mode === 'open',
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
