/** What the schema cannot see in a study that trains a model. */
import type { StudyProblem } from './errors.ts';
import { fewestMerged, groupProblems } from './group-problems.ts';
import { studyLimits } from './limits.ts';
import type { TrainingManifest } from './manifest.ts';
import { shown } from './schema-problems.ts';
import { repeated, tableProblems } from './table-problems.ts';

const file = 'study.toml';

function rangeProblems({ features }: TrainingManifest): StudyProblem[] {
  return features.column
    .filter((f) => f.min >= f.max)
    .map((f) => ({ file, place: `features.column "${f.name}"`, found: `min ${f.min}, max ${f.max}`, allowed: 'the smaller number first' }));
}

function taskProblems({ task, label, training, metrics }: TrainingManifest): StudyProblem[] {
  const problems: StudyProblem[] = [];
  const wanted = task === 'binary' ? 'binary-cross-entropy' : 'softmax-cross-entropy';
  if (training.loss !== wanted) problems.push({ file, place: 'training.loss', found: shown(training.loss), allowed: `"${wanted}" for task "${task}"` });
  if (task === 'binary' && label.classes.length !== 2) {
    problems.push({ file, place: 'label.classes', found: `${label.classes.length} classes`, allowed: 'exactly two, the negative one first' });
  }
  const seen = training.localSteps * training.batchSize;
  if (seen < studyLimits.fewestRowsSeen) {
    const found = `${training.localSteps} steps of ${training.batchSize} rows`;
    problems.push({
      file,
      place: 'training.localSteps',
      found,
      allowed: `at least ${studyLimits.fewestRowsSeen} rows a round: an update of fewer gives them away`,
    });
  }
  if (task === 'multiclass' && metrics.includes('auc')) problems.push({ file, place: 'metrics', found: '"auc"', allowed: '"accuracy" for task "multiclass"' });
  return problems;
}

/** A rule needs its vectors one by one, and at least 2f + 1 of them, or 2f + 3 where it counts neighbours, in every set that the terms allow. */
function ruleProblems({ terms }: TrainingManifest): StudyProblem[] {
  const { mode, rule, groups, minMembers } = terms;
  if (mode === 'open' && groups) return [{ file, place: 'terms.groups', found: 'groups in mode "open"', allowed: 'groups in mode "secure", where they sum' }];
  if (rule === undefined || rule.kind === 'mean') return [];
  if (mode !== 'open' && !groups)
    return [{ file, place: 'terms.rule', found: `"${rule.kind}" over one sum`, allowed: 'a rule other than "mean" in mode "open", or over groups' }];
  const needed = fewestMerged(rule);
  const least = needed * (groups === undefined ? 1 : 'size' in groups ? groups.size : 3);
  return minMembers >= least
    ? []
    : [{ file, place: 'terms.minMembers', found: String(minMembers), allowed: `at least ${least}, for "${rule.kind}" with f = ${rule.f}` }];
}

/** Open mode has no keys by which a part could be opened later. */
function auditProblems({ terms }: TrainingManifest): StudyProblem[] {
  return terms.audit && terms.mode === 'open' ? [{ file, place: 'terms.audit', found: 'true in mode "open"', allowed: 'only in mode "secure"' }] : [];
}

function dominanceProblems({ terms, standardisation }: TrainingManifest): StudyProblem[] {
  if (terms.dominance === undefined || standardisation === 'swarm') return [];
  return [
    { file, place: 'terms.dominance', found: shown(terms.dominance), allowed: 'only with standardisation = "swarm": the shared statistics count the rows' },
  ];
}

/** Dominance where the manifest says nothing and rows are counted: three fifths, as in official statistics. */
export function withDominance(manifest: TrainingManifest): TrainingManifest {
  if (manifest.standardisation !== 'swarm') return manifest;
  return { ...manifest, terms: { ...manifest.terms, dominance: manifest.terms.dominance ?? studyLimits.dominance } };
}

/** What the schema cannot see in a study that trains. */
export function trainingProblems(manifest: TrainingManifest): StudyProblem[] {
  const { label, split, table, features } = manifest;
  const extra = split.by === 'column' ? split.column : split.key;
  const outputs = [...features.column.map((f) => f.name), label.column];
  const shared = split.by === 'column' ? split.train.filter((value) => split.test.includes(value)) : [];
  return [
    ...repeated(outputs, 'features.column', 'feature'),
    ...repeated([...outputs.slice(0, -1), extra], 'split', 'column, and none of them a feature'),
    ...tableProblems(table),
    ...repeated(label.classes.map(String), 'label.classes', 'class'),
    ...shared.map((value) => ({ file, place: 'split', found: `${shown(value)} in train and in test`, allowed: 'each value on one side' })),
    ...rangeProblems(manifest),
    ...taskProblems(manifest),
    ...ruleProblems(manifest),
    ...groupProblems(manifest),
    ...dominanceProblems(manifest),
    ...auditProblems(manifest),
  ];
}
