/** From whatever `study.toml` held to a manifest, or to all its problems at once: place, what was found, what is allowed. */
import type { z } from 'zod';
import type { StudyProblem } from './errors.ts';
import { fewestMerged, groupProblems } from './group-problems.ts';
import { studyLimits } from './limits.ts';
import { manifestSchema, type StudyManifest } from './manifest.ts';

const file = 'study.toml';

function valueAt(root: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((value, key) => (typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined), root);
}

function shown(value: unknown): string {
  if (value === undefined) return 'nothing';
  const text = typeof value === 'bigint' ? String(value) : (JSON.stringify(shallow(value, 3)) ?? String(value));
  return text.length > 80 ? `${text.slice(0, 77)}…` : text;
}

/** What is shown of a value: it came from elsewhere, and may be nested deeper than a stack is. */
function shallow(value: unknown, depth: number): unknown {
  if (typeof value !== 'object' || value === null || 'toJSON' in value) return value;
  if (depth === 0) return '…';
  if (Array.isArray(value)) return value.map((item) => shallow(item, depth - 1));
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, shallow(item, depth - 1)]));
}

function placeOf(path: readonly PropertyKey[]): string {
  const place = path.map((key) => (typeof key === 'number' ? `[${key + 1}]` : `.${String(key)}`)).join('');
  return place === '' ? 'top level' : place.replace(/^\./, '');
}

function problemsOf(issue: z.core.$ZodIssue, root: unknown): StudyProblem[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      file,
      place: placeOf([...issue.path, key]),
      found: 'an unknown key',
      allowed: 'only the keys of format schwarm.study/1',
    }));
  }
  const within = issue.code === 'invalid_union' ? nearest(issue, root) : undefined;
  if (within) return within.flatMap((inner) => problemsOf({ ...inner, path: [...issue.path, ...inner.path] }, root));
  const allowed = issue.message.replace(/^Invalid (input|option|string|number): /, '').replace(/, received .*$/, '');
  return [{ file, place: placeOf(issue.path), found: shown(valueAt(root, issue.path)), allowed }];
}

/** What is wrong in the form that was meant: one with all of its keys and no other; undefined where none was. */
function nearest(union: z.core.$ZodIssueInvalidUnion, root: unknown): readonly z.core.$ZodIssue[] | undefined {
  const value = valueAt(root, union.path);
  const isOther = ({ path }: z.core.$ZodIssue): boolean => path.length === 0 || (path.length === 1 && valueAt(value, path) === undefined);
  return union.errors.find((issues) => !issues.some(isOther));
}

function repeated(names: readonly string[], place: string, what: string): StudyProblem[] {
  const twice = [...new Set(names.filter((name, at) => names.indexOf(name) !== at))];
  return twice.map((name) => ({ file, place, found: `"${name}" twice`, allowed: `each ${what} once` }));
}

function rangeProblems(manifest: StudyManifest): StudyProblem[] {
  const features = manifest.features.column
    .filter((f) => f.min >= f.max)
    .map((f) => ({ place: `features.column "${f.name}"`, found: `min ${f.min}, max ${f.max}` }));
  const columns = manifest.table.flatMap((t) =>
    t.column
      .filter((c) => c.minimum !== undefined && c.maximum !== undefined && c.minimum > c.maximum)
      .map((c) => ({ place: `table "${t.name}", column "${c.name}"`, found: `minimum ${c.minimum}, maximum ${c.maximum}` })),
  );
  return [...features, ...columns].map((p) => ({ file, ...p, allowed: 'the smaller number first' }));
}

function boundProblems(manifest: StudyManifest): StudyProblem[] {
  return manifest.table.flatMap((t) =>
    t.column
      .filter((c) => (c.minimum !== undefined || c.maximum !== undefined) && c.datatype !== 'integer' && c.datatype !== 'number')
      .map((c) => ({
        file,
        place: `table "${t.name}", column "${c.name}"`,
        found: `a range on a ${c.datatype}`,
        allowed: 'minimum and maximum only on integer and number',
      })),
  );
}

function taskProblems({ task, label, training, metrics }: StudyManifest): StudyProblem[] {
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
function ruleProblems({ terms }: StudyManifest): StudyProblem[] {
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
function auditProblems({ terms }: StudyManifest): StudyProblem[] {
  return terms.audit && terms.mode === 'open' ? [{ file, place: 'terms.audit', found: 'true in mode "open"', allowed: 'only in mode "secure"' }] : [];
}

function dominanceProblems({ terms, standardisation }: StudyManifest): StudyProblem[] {
  if (terms.dominance === undefined || standardisation === 'swarm') return [];
  return [
    { file, place: 'terms.dominance', found: shown(terms.dominance), allowed: 'only with standardisation = "swarm": the shared statistics count the rows' },
  ];
}

/** Dominance where the manifest says nothing and rows are counted: three fifths, as in official statistics. */
function withDominance(manifest: StudyManifest): StudyManifest {
  if (manifest.standardisation !== 'swarm') return manifest;
  return { ...manifest, terms: { ...manifest.terms, dominance: manifest.terms.dominance ?? studyLimits.dominance } };
}

function crossProblems(manifest: StudyManifest): StudyProblem[] {
  const { label, split, table, features } = manifest;
  const extra = split.by === 'column' ? split.column : split.key;
  const outputs = [...features.column.map((f) => f.name), label.column];
  const shared = split.by === 'column' ? split.train.filter((value) => split.test.includes(value)) : [];
  return [
    ...repeated(outputs, 'features.column', 'feature'),
    ...repeated([...outputs.slice(0, -1), extra], 'split', 'column, and none of them a feature'),
    ...repeated(
      table.map((t) => t.name.toLowerCase()),
      'table',
      'table',
    ),
    ...table.flatMap((t) =>
      repeated(
        t.column.map((c) => c.name.toLowerCase()),
        `table "${t.name}"`,
        'column',
      ),
    ),
    ...repeated(label.classes.map(String), 'label.classes', 'class'),
    ...shared.map((value) => ({ file, place: 'split', found: `${shown(value)} in train and in test`, allowed: 'each value on one side' })),
    ...rangeProblems(manifest),
    ...boundProblems(manifest),
    ...taskProblems(manifest),
    ...ruleProblems(manifest),
    ...groupProblems(manifest),
    ...dominanceProblems(manifest),
    ...auditProblems(manifest),
  ];
}

/** The manifest in `root`, or every problem found in it, at most `studyLimits.problems`. */
export function checkManifest(root: unknown): { readonly manifest: StudyManifest } | { readonly problems: readonly StudyProblem[] } {
  const parsed = manifestSchema.safeParse(root);
  const problems = parsed.success ? crossProblems(parsed.data) : parsed.error.issues.flatMap((issue) => problemsOf(issue, root));
  if (problems.length > 0) return { problems: problems.slice(0, studyLimits.problems) };
  return parsed.success ? { manifest: withDominance(parsed.data) } : { problems };
}
