/** What a schema says against a file that a person wrote, as problems with a place in it: for `study.toml`, and for the files of other rooms. */
import type { z } from 'zod';

/** One thing to correct. `place` is the path inside the file, as `training.optimiser.learningRate`; lists count from 1. */
export interface PlacedProblem {
  readonly place: string;
  readonly found: string;
  readonly allowed: string;
}

function valueAt(root: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((value, key) => (typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined), root);
}

/** A value in few characters, for a message about it. */
export function shown(value: unknown): string {
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

function problemsOf(issue: z.core.$ZodIssue, root: unknown, format: string): PlacedProblem[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      place: placeOf([...issue.path, key]),
      found: 'an unknown key',
      allowed: `only the keys of format ${format}`,
    }));
  }
  const within = issue.code === 'invalid_union' ? nearest(issue, root) : undefined;
  if (within) return within.flatMap((inner) => problemsOf({ ...inner, path: [...issue.path, ...inner.path] }, root, format));
  const allowed = issue.message.replace(/^Invalid (input|option|string|number): /, '').replace(/, received .*$/, '');
  return [{ place: placeOf(issue.path), found: shown(valueAt(root, issue.path)), allowed }];
}

/** What is wrong in the form that was meant: one with all of its keys and no other; undefined where none was. */
function nearest(union: z.core.$ZodIssueInvalidUnion, root: unknown): readonly z.core.$ZodIssue[] | undefined {
  const value = valueAt(root, union.path);
  const isOther = ({ path }: z.core.$ZodIssue): boolean => path.length === 0 || (path.length === 1 && valueAt(value, path) === undefined);
  return union.errors.find((issues) => !issues.some(isOther));
}

/** Every problem that a schema of format `format` found in `root`, where a union counts as the form that was meant. */
export function schemaProblems(error: z.ZodError, root: unknown, format: string): readonly PlacedProblem[] {
  return error.issues.flatMap((issue) => problemsOf(issue, root, format));
}
