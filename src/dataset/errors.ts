/** Everything that can be wrong with a member's files or with what a study asks of them. Messages hold counts and lines, never a value of a row. */
import { defineErrors } from '../common/index.ts';
import type { DatasetProblem } from './report.ts';

type Problems = { readonly problems: readonly DatasetProblem[] };

function listed({ problems }: Problems): string {
  const line = (p: DatasetProblem) =>
    `${p.place}, column "${p.column}": ${p.found}${p.line === undefined ? '' : ` (first in line ${p.line})`}; allowed: ${p.allowed}`;
  return problems.length === 1 ? problems.map(line).join() : `${problems.length} problems:${problems.map((p) => `\n  ${line(p)}`).join('')}`;
}

const correctFile = 'Correct the file, or bind another one, then run `dataset bind` and `dataset check` again.';
const correctStudy = 'Let the author of the study correct features.sql; a site can only decline it.';

export const datasetErrors = defineErrors({
  DATASET_BAD_BINDING: {
    blame: 'operator',
    cause: (d: { name: string; reason: string }) => `the data set "${d.name}" cannot be bound: ${d.reason}`,
    remedy: 'Give a name of letters, digits, - and _, and the CSV files: `dataset bind NAME FILE...`, or TABLE=FILE where a study has several tables.',
  },
  DATASET_UNREADABLE_FILE: {
    blame: 'operator',
    cause: (d: { path: string; reason: string }) => `${d.path} cannot be read as CSV: ${d.reason}`,
    remedy: 'Bind regular CSV files with a header line, in UTF-8, with the same number of fields in each line.',
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
