/** The study package: read from a folder, hashed, packed into one byte string that travels, and unpacked with every check again. */
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import canonicalize from 'canonicalize';
import { parse, TomlError } from 'smol-toml';
import { assert, concat, digestOf, equalBytes, type StudyId, u32, utf8 } from '../common/index.ts';
import { type StudyProblem, studyErrors } from './errors.ts';
import { studyLimits } from './limits.ts';
import type { StudyManifest, TrainingManifest } from './manifest.ts';
import { checkManifest } from './problems.ts';
import type { StatisticsManifest } from './statistics-manifest.ts';

interface Package<Manifest extends StudyManifest> {
  readonly id: StudyId;
  readonly manifest: Manifest;
  readonly featuresSql: string;
  /** The forward model, ONNX bytes as the researcher gave them; no bytes in a study that counts. */
  readonly model: Uint8Array;
}

/** A valid study that trains a model. */
export type TrainingStudy = Package<TrainingManifest>;
/** A valid study that counts. */
export type StatisticsStudy = Package<StatisticsManifest>;
/** A valid study. `id` is SHA-256 over the RFC 8785 form of the manifest and the hashes of the other files. */
export type Study = TrainingStudy | StatisticsStudy;

/** Whether a study trains a model. */
export function isTraining(study: Study): study is TrainingStudy {
  return study.manifest.kind === 'training';
}

const magic = utf8('schwarm.study/1\n');
const strictUtf8 = new TextDecoder('utf-8', { fatal: true });

function canonicalManifest(manifest: StudyManifest, sql: Uint8Array, model: Uint8Array): Uint8Array {
  const models = manifest.kind === 'training' ? { 'model.onnx': digestOf(model) } : {};
  const json = canonicalize({ ...manifest, files: { 'features.sql': digestOf(sql), ...models } });
  assert(json !== undefined, 'a manifest has a canonical form');
  return utf8(json);
}

function studyOf(manifest: StudyManifest, featuresSql: string, model: Uint8Array): Study {
  const rest = { id: digestOf(canonicalManifest(manifest, utf8(featuresSql), model)), featuresSql, model };
  return manifest.kind === 'training' ? { ...rest, manifest } : { ...rest, manifest };
}

function sizeProblems(kind: StudyManifest['kind'] | undefined, sql: Uint8Array, model: Uint8Array): StudyProblem[] {
  const problem = (file: string, size: number, limit: number): StudyProblem[] =>
    size >= 1 && size <= limit ? [] : [{ file, place: 'whole file', found: `${size} bytes`, allowed: `1 to ${limit} bytes` }];
  const ofModel =
    kind === 'statistics' && model.length > 0
      ? [{ file: 'model.onnx', place: 'whole file', found: `${model.length} bytes`, allowed: 'no model in a study of kind "statistics"' }]
      : kind === 'statistics'
        ? []
        : problem('model.onnx', model.length, studyLimits.modelSizeBytes);
  return [...problem('features.sql', sql.length, studyLimits.sqlSizeBytes), ...ofModel];
}

async function readBounded(folder: string, name: string, limitBytes: number, signal: AbortSignal): Promise<Uint8Array> {
  const path = join(folder, name);
  try {
    const { size } = await stat(path);
    if (size > limitBytes) throw studyErrors.STUDY_UNREADABLE({ path, reason: `${size} bytes, at most ${limitBytes} are allowed` });
    return new Uint8Array(await readFile(path, { signal }));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') throw studyErrors.STUDY_UNREADABLE({ path, reason: 'it does not exist' }, error);
    throw error;
  }
}

function textOf(bytes: Uint8Array, path: string): string {
  try {
    return strictUtf8.decode(bytes);
  } catch (error) {
    throw studyErrors.STUDY_UNREADABLE({ path, reason: 'it is not UTF-8' }, error);
  }
}

function parseToml(text: string, path: string): unknown {
  try {
    return parse(text);
  } catch (error) {
    const [line, column] = error instanceof TomlError ? [error.line, error.column] : [0, 0];
    const reason = error instanceof Error ? (error.message.split('\n')[0] ?? '') : 'unknown';
    throw studyErrors.STUDY_BAD_TOML({ path, line, column, reason }, error);
  }
}

/** The kind that a manifest names, before anything of it was checked. */
function kindOf(root: unknown): StudyManifest['kind'] | undefined {
  const kind: unknown = typeof root === 'object' && root !== null ? Reflect.get(root, 'kind') : undefined;
  return kind === 'training' || kind === 'statistics' ? kind : undefined;
}

/** The study in `folder`. Throws STUDY_UNREADABLE, STUDY_BAD_TOML, or STUDY_INVALID with every problem at once. */
export async function readStudy(folder: string, { signal }: { readonly signal: AbortSignal }): Promise<Study> {
  const toml = await readBounded(folder, 'study.toml', studyLimits.manifestSizeBytes, signal);
  const sql = await readBounded(folder, 'features.sql', studyLimits.sqlSizeBytes, signal);
  const root = parseToml(textOf(toml, join(folder, 'study.toml')), join(folder, 'study.toml'));
  const kind = kindOf(root);
  const model = kind === 'statistics' ? new Uint8Array(0) : await readBounded(folder, 'model.onnx', studyLimits.modelSizeBytes, signal);
  const checked = checkManifest(root);
  const problems = [...('problems' in checked ? checked.problems : []), ...sizeProblems(kind, sql, model)];
  if ('problems' in checked || problems.length > 0) throw studyErrors.STUDY_INVALID({ problems });
  return studyOf(checked.manifest, textOf(sql, join(folder, 'features.sql')), model);
}

/** The study as one canonical byte string: `magic ‖ (u32 length ‖ bytes)` for manifest, SQL and model. Equal studies give equal bytes. */
export function packStudy(study: Study): Uint8Array {
  const sql = utf8(study.featuresSql);
  const parts = [canonicalManifest(study.manifest, sql, study.model), sql, study.model];
  return concat(magic, ...parts.flatMap((part) => [u32(part.length), part]));
}

function sections(bytes: Uint8Array): Uint8Array[] {
  const bad = (reason: string) => studyErrors.STUDY_BAD_PACKAGE({ reason });
  if (!equalBytes(bytes.subarray(0, magic.length), magic)) throw bad('it does not begin with schwarm.study/1');
  const limits = [studyLimits.manifestSizeBytes, studyLimits.sqlSizeBytes, studyLimits.modelSizeBytes];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = magic.length;
  const parts = limits.map((limit) => {
    if (at + 4 > bytes.length) throw bad('it is cut short');
    const length = view.getUint32(at, true);
    if (length > limit || at + 4 + length > bytes.length) throw bad(`a section of ${length} bytes does not fit`);
    at += 4 + length;
    return bytes.slice(at - length, at);
  });
  if (at !== bytes.length) throw bad(`${bytes.length - at} bytes too many`);
  return parts;
}

/**
 * The study in a packed form from anywhere. Everything is checked again, and the bytes must be the one canonical form.
 * Throws STUDY_BAD_PACKAGE, or STUDY_WRONG_ID where `expected` is given and differs.
 */
export function unpackStudy(bytes: Uint8Array, expected?: StudyId): Study {
  const [manifestBytes, sql, model] = sections(bytes);
  assert(manifestBytes && sql && model, 'a packed study has three sections');
  const study = studyFrom(manifestBytes, sql, model);
  if (expected !== undefined && study.id !== expected) throw studyErrors.STUDY_WRONG_ID({ expected, found: study.id });
  return study;
}

function studyFrom(manifestBytes: Uint8Array, sql: Uint8Array, model: Uint8Array): Study {
  const { files: _, ...root } = parseManifest(manifestBytes);
  const checked = checkManifest(root);
  const problems = [...('problems' in checked ? checked.problems : []), ...sizeProblems(kindOf(root), sql, model)];
  if ('problems' in checked || problems.length > 0) {
    throw studyErrors.STUDY_BAD_PACKAGE({ reason: problems.map((p) => `${p.file}, ${p.place}: found ${p.found}; allowed: ${p.allowed}`).join('; ') });
  }
  if (!equalBytes(canonicalManifest(checked.manifest, sql, model), manifestBytes))
    throw studyErrors.STUDY_BAD_PACKAGE({ reason: 'its manifest and its files do not agree' });
  return studyOf(checked.manifest, textOf(sql, 'features.sql'), model);
}

function parseManifest(bytes: Uint8Array): Record<string, unknown> {
  try {
    const root: unknown = JSON.parse(strictUtf8.decode(bytes));
    if (typeof root === 'object' && root !== null && !Array.isArray(root)) return { ...root };
  } catch (error) {
    throw studyErrors.STUDY_BAD_PACKAGE({ reason: 'its manifest is not JSON' }, error);
  }
  throw studyErrors.STUDY_BAD_PACKAGE({ reason: 'its manifest is not an object' });
}

/** The same question with another seed: another study, with an id of its own. `seed` from 0 to 2^32-1. */
export function withSeed(study: TrainingStudy, seed: number): TrainingStudy {
  const checked = checkManifest({ ...study.manifest, seed });
  if ('problems' in checked) throw studyErrors.STUDY_INVALID({ problems: checked.problems });
  const other = studyOf(checked.manifest, study.featuresSql, study.model);
  assert(isTraining(other), 'another seed makes no other kind of study');
  return other;
}
