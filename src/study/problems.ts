/** From whatever `study.toml` held to a manifest, or to all its problems at once: place, what was found, what is allowed. */
import type { z } from 'zod';
import { studyLimits } from './limits.ts';
import { manifestSchema, type StudyManifest } from './manifest.ts';

/** One thing to correct. `place` is the path inside the file, as `training.optimiser.learningRate`. */
export interface StudyProblem {
  readonly file: string;
  readonly place: string;
  readonly found: string;
  readonly allowed: string;
}

const file = 'study.toml';

function valueAt(root: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((value, key) => (typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined), root);
}

function shown(value: unknown): string {
  if (value === undefined) return 'nothing';
  const text = typeof value === 'bigint' ? String(value) : (JSON.stringify(value) ?? String(value));
  return text.length > 80 ? `${text.slice(0, 77)}…` : text;
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
  const allowed = issue.message.replace(/^Invalid (input|option|string|number): /, '').replace(/, received .*$/, '');
  return [{ file, place: placeOf(issue.path), found: shown(valueAt(root, issue.path)), allowed }];
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
  if (task === 'multiclass' && metrics.includes('auc')) problems.push({ file, place: 'metrics', found: '"auc"', allowed: '"accuracy" for task "multiclass"' });
  return problems;
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
  ];
}

/** The manifest in `root`, or every problem found in it, at most `studyLimits.problems`. */
export function checkManifest(root: unknown): { readonly manifest: StudyManifest } | { readonly problems: readonly StudyProblem[] } {
  const parsed = manifestSchema.safeParse(root);
  const problems = parsed.success ? crossProblems(parsed.data) : parsed.error.issues.flatMap((issue) => problemsOf(issue, root));
  if (problems.length > 0) return { problems: problems.slice(0, studyLimits.problems) };
  return parsed.success ? { manifest: parsed.data } : { problems };
}
