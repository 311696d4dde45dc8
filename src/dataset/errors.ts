/** Everything that can be wrong with a member's files or with what a study asks of them. Messages hold counts and lines, never a value of a row. */
import { defineErrors } from '../common/index.ts';
import type { PlacedProblem } from '../study/index.ts';
import type { DatasetProblem } from './report.ts';

type Problems = { readonly problems: readonly DatasetProblem[] };

function listed({ problems }: Problems): string {
  const first = ({ line, row }: DatasetProblem) => (line === undefined ? (row === undefined ? '' : ` (first in row ${row})`) : ` (first in line ${line})`);
  const line = (p: DatasetProblem) => `${p.place}, column "${p.column}": ${p.found}${first(p)}; allowed: ${p.allowed}`;
  return problems.length === 1 ? problems.map(line).join() : `${problems.length} problems:${problems.map((p) => `\n  ${line(p)}`).join('')}`;
}

const correctFile = 'Correct the file, or bind another one, then run `dataset bind` and `dataset check` again.';
const correctStudy = 'Let the author of the study correct features.sql; a site can only decline it.';

export const datasetErrors = defineErrors({
  DATASET_BAD_BINDING: {
    blame: 'operator',
    cause: (d: { name: string; reason: string }) => `the data set "${d.name}" cannot be bound: ${d.reason}`,
    remedy: 'Give a name of letters, digits, - and _, and CSV or Parquet files, as FILE or TABLE=FILE, or one binding file: `dataset bind NAME binding.toml`.',
  },
  DATASET_BAD_TOML: {
    blame: 'operator',
    cause: (d: { path: string; line: number; column: number; reason: string }) => `${d.path} line ${d.line}, column ${d.column} is not TOML: ${d.reason}`,
    remedy: 'Correct the line; TOML 1.0 is described at toml.io.',
  },
  DATASET_BINDING_INVALID: {
    blame: 'operator',
    cause: (d: { path: string; problems: readonly PlacedProblem[] }) =>
      `${d.path} has ${d.problems.length} ${d.problems.length === 1 ? 'problem' : 'problems'}:${d.problems.map((p) => `\n  ${p.place}: found ${p.found}; allowed: ${p.allowed}`).join('')}`,
    remedy: 'Correct each place named and run `dataset bind` again; deploy/README.md has an example.',
  },
  DATASET_BAD_RECORD: {
    blame: 'operator',
    cause: (d: { path: string; problems: readonly PlacedProblem[] }) =>
      `${d.path} has ${d.problems.length} ${d.problems.length === 1 ? 'problem' : 'problems'}:${d.problems.map((p) => `\n  ${p.place}: found ${p.found}; allowed: ${p.allowed}`).join('')}`,
    remedy: 'Correct each place named; deploy/README.md shows a record.',
  },
  DATASET_BAD_DUMMY: {
    blame: 'operator',
    cause: (d: { what: string; found: string; allowed: string }) => `dummy data cannot be made: ${d.what} is ${d.found}, allowed: ${d.allowed}`,
    remedy: 'Give another number of rows or another seed, or name a folder that does not exist yet.',
  },
  DATASET_SOURCE_FAILED: {
    blame: 'operator',
    cause: (d: { table: string; source: string; reason: string }) => `the table "${d.table}" cannot be read from ${d.source}: ${d.reason}`,
    remedy: 'Correct the source, or what binding.toml says of it, and run `dataset bind` again. The data set is as it was before.',
  },
  DATASET_SITE_SQL: {
    blame: 'operator',
    cause: (d: { table: string; reason: string }) => `the SELECT of the table "${d.table}" in binding.toml cannot be used: ${d.reason}`,
    remedy: 'Write one SELECT over the sources of the table, by their names, and run `dataset bind` again.',
  },
  DATASET_NO_CONSENT_COLUMN: {
    blame: 'operator',
    cause: (d: { table: string; column: string }) => `the table "${d.table}" has no column "${d.column}", which consent names`,
    remedy: 'Name a column that the source, the view or the SELECT gives, and run `dataset bind` again. Nothing was bound.',
  },
  DATASET_BIND_TIMEOUT: {
    blame: 'operator',
    cause: (d: { table: string; timeoutMs: number }) => `reading the table "${d.table}" from its source took longer than ${d.timeoutMs / 1000} s and was ended`,
    remedy: 'Let the source give less, or prepare it beforehand as Parquet.',
  },
  DATASET_SNAPSHOT_FAILED: {
    blame: 'operator',
    cause: (d: { folder: string; reason: string }) => `a snapshot cannot be written to ${d.folder}: ${d.reason}`,
    remedy: 'Make room on the disk, or correct the permissions of the folder, and run `dataset bind` again.',
  },
  DATASET_UNREADABLE_FILE: {
    blame: 'operator',
    cause: (d: { path: string; reason: string }) => `${d.path} cannot be read: ${d.reason}`,
    remedy:
      'Bind regular files that this user may read: Parquet, or CSV in UTF-8 with a header line and as many fields in each line. A binding file declares other forms.',
  },
  DATASET_CHANGED: {
    blame: 'operator',
    cause: (d: { path: string }) => `${d.path} is not the file that was bound: its content has changed`,
    remedy: 'Run `dataset bind` again, so that the new version gets a hash of its own.',
  },
  DATASET_UNBOUND_TABLE: {
    blame: 'operator',
    cause: (d: { table: string; name: string }) => `the study needs the table "${d.table}", and the data set "${d.name}" binds no file to it`,
    remedy: 'Bind it by name: `dataset bind NAME TABLE=FILE ...`, or name the file after the table.',
  },
  DATASET_MISSING_COLUMN: { blame: 'operator', cause: listed, remedy: correctFile },
  DATASET_WRONG_TYPE: { blame: 'operator', cause: listed, remedy: correctFile },
  DATASET_OUT_OF_RANGE: { blame: 'operator', cause: listed, remedy: correctFile },
  DATASET_EMPTY_CELLS: { blame: 'operator', cause: listed, remedy: correctFile },
  DATASET_NOT_FINITE: { blame: 'operator', cause: listed, remedy: correctFile },
  DATASET_BAD_LABEL: {
    blame: 'operator',
    cause: listed,
    remedy: 'The label must have the classes that the study declares: correct the file, or ask the author of the study.',
  },
  DATASET_BAD_SPLIT: {
    blame: 'operator',
    cause: listed,
    remedy: 'The split column must hold the values that the study declares, or be empty for rows to leave out.',
  },
  DATASET_NO_ROWS: { blame: 'operator', cause: listed, remedy: 'Check with `dataset check` which rows were left out and why.' },
  DATASET_NOT_ONE_STATEMENT: {
    blame: 'operator',
    cause: (d: { count: number }) => `features.sql holds ${d.count} statements; exactly one SELECT is allowed`,
    remedy: correctStudy,
  },
  DATASET_NOT_SELECT: {
    blame: 'operator',
    cause: (d: { found: string }) => `features.sql is a ${d.found} statement; exactly one SELECT is allowed`,
    remedy: correctStudy,
  },
  DATASET_SQL_OUTSIDE: {
    blame: 'operator',
    cause: () => 'features.sql reaches outside the bound tables (another file, the network, or a setting); it was refused and nothing was read',
    remedy: correctStudy,
  },
  DATASET_SQL_FAILED: {
    blame: 'operator',
    cause: (d: { message: string }) => `features.sql cannot be run: ${d.message}`,
    remedy: correctStudy,
  },
  DATASET_BAD_VIEW: {
    blame: 'operator',
    cause: (d: { place: string; found: string; allowed: string }) => `ViewDefinition, ${d.place}: found ${d.found}; allowed: ${d.allowed}`,
    remedy: 'Correct the ViewDefinition at the place that is named, then bind again.',
  },
  DATASET_VIEW_VALUE: {
    blame: 'operator',
    cause: (d: { place: string; found: string; allowed: string }) => `ViewDefinition, ${d.place}: a resource has ${d.found}; allowed: ${d.allowed}`,
    remedy: 'Let the view say what is meant (`.first()`, `"collection": true`, another type), or correct the resources, then bind again.',
  },
  DATASET_TOO_LARGE: {
    blame: 'operator',
    cause: (d: { what: string; found: number; limit: number }) => `${d.found} ${d.what}; at most ${d.limit} are allowed`,
    remedy: 'Bind less, or let the study select less; the limits are in src/dataset/limits.ts.',
  },
  DATASET_TIMEOUT: {
    blame: 'operator',
    cause: (d: { timeoutMs: number }) => `loading the files and running features.sql took longer than ${d.timeoutMs / 1000} s and was ended`,
    remedy: 'Ask the author of the study for a cheaper SELECT, or bind less.',
  },
  DATASET_PROCESS_LOST: {
    blame: 'self',
    cause: (d: { reason: string }) => `the process that reads the data was lost: ${d.reason}`,
    remedy: 'Try again; if it repeats, the memory limit is the likely cause.',
  },
});
