/** Everything that can be wrong with a study package. */
import { defineErrors } from '../common/index.ts';

/** One thing to correct. `place` is the path inside the file, as `training.optimiser.learningRate`. */
export interface StudyProblem {
  readonly file: string;
  readonly place: string;
  readonly found: string;
  readonly allowed: string;
}

function listed(problems: readonly StudyProblem[]): string {
  return problems.map((p) => `\n  ${p.file}, ${p.place}: found ${p.found}; allowed: ${p.allowed}`).join('');
}

export const studyErrors = defineErrors({
  STUDY_UNREADABLE: {
    blame: 'operator',
    cause: (d: { path: string; reason: string }) => `${d.path} cannot be read: ${d.reason}`,
    remedy: 'A study is a folder with study.toml, features.sql and model.onnx. `study new FOLDER` makes one to start from.',
  },
  STUDY_BAD_TOML: {
    blame: 'operator',
    cause: (d: { path: string; line: number; column: number; reason: string }) => `${d.path} line ${d.line}, column ${d.column} is not TOML: ${d.reason}`,
    remedy: 'Correct the line; TOML 1.0 is described at toml.io.',
  },
  STUDY_INVALID: {
    blame: 'operator',
    cause: (d: { problems: readonly StudyProblem[] }) =>
      `the study has ${d.problems.length} ${d.problems.length === 1 ? 'problem' : 'problems'}:${listed(d.problems)}`,
    remedy: 'Correct each place named and run `study check` again.',
  },
  STUDY_BAD_PACKAGE: {
    blame: 'remote',
    cause: (d: { reason: string }) => `a packed study is not valid: ${d.reason}`,
    remedy: 'Fetch the study again from another member; the sender holds a damaged or forged package.',
  },
  STUDY_WRONG_ID: {
    blame: 'remote',
    cause: (d: { expected: string; found: string }) => `a study with hash ${d.found} came where ${d.expected} was asked for`,
    remedy: 'Check the hash that was approved; fetch the study again from another member.',
  },
  STUDY_FOLDER_IN_USE: {
    blame: 'operator',
    cause: (d: { path: string }) => `${d.path} exists already`,
    remedy: 'Name a new folder; `study new` never overwrites.',
  },
});
