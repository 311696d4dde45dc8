/** The parent's side: a fresh child for each load, its answer turned into rows or into one error. */
import { assert, type Clock, isSwarmError, type Logger } from '../common/index.ts';
import { type ChildAnswer, startChild } from '../sandbox/index.ts';
import { isTraining, type StatisticsStudy, type Study, type TrainingStudy } from '../study/index.ts';
import { type Binding, checkUnchanged, filesByTable } from './binding.ts';
import type { LoadedHeader, LoadHeader } from './child-messages.ts';
import { datasetErrors } from './errors.ts';
import { datasetLimits } from './limits.ts';
import type { RecordTable } from './records.ts';
import type { QualityReport } from './report.ts';
import type { FeatureTable } from './table.ts';

/** What loading needs of its surroundings. */
export interface DatasetParts {
  readonly clock: Clock;
  readonly logger: Logger;
}

/** `timeoutMs` bounds loading and SELECT together. */
export interface LoadOptions {
  readonly signal: AbortSignal;
  readonly timeoutMs?: number;
}

async function ask(header: LoadHeader, { signal, timeoutMs = datasetLimits.timeoutMs }: LoadOptions, parts: DatasetParts): Promise<ChildAnswer> {
  const module = new URL('./duckdb-child.ts', import.meta.url);
  await using child = await startChild({ module, name: 'dataset', memoryLimitMb: datasetLimits.heapLimitMb, requestTimeoutMs: timeoutMs }, parts);
  try {
    return await child.request('load', header, undefined, { signal });
  } catch (error) {
    if (isSwarmError(error, 'SANDBOX_TIMEOUT')) throw datasetErrors.DATASET_TIMEOUT({ timeoutMs }, error);
    if (isSwarmError(error, 'SANDBOX_CHILD_DIED')) throw datasetErrors.DATASET_PROCESS_LOST({ reason: error.message }, error);
    throw error;
  }
}

async function load(
  study: Study,
  binding: Binding,
  options: LoadOptions,
  parts: DatasetParts,
): Promise<{ readonly loaded: LoadedHeader; readonly body: Uint8Array }> {
  const tables = filesByTable(study, binding);
  await checkUnchanged(binding, options);
  const { header, body } = await ask({ tables, sql: study.featuresSql, terms: termsOf(study) }, options, parts);
  // The child is our own module: its header is a LoadedHeader.
  return { loaded: header as LoadedHeader, body };
}

function termsOf(study: Study): LoadHeader['terms'] {
  if (isTraining(study)) {
    const { features, label, split, missing } = study.manifest;
    return { features, label, split, missing };
  }
  const { unit, dimension, variable } = study.manifest;
  return { unit, dimension, variable };
}

/** Throws where cells are wrong; else the body in memory of its own, with the lengths of its three parts. */
async function goodRows(study: Study, binding: Binding, options: LoadOptions, parts: DatasetParts) {
  const { loaded, body } = await load(study, binding, options, parts);
  const { problems, rows, dropped } = loaded.report;
  const [first] = problems;
  if (first !== undefined) throw datasetErrors[first.code]({ problems });
  assert(body.length === loaded.bytes.reduce((sum, size) => sum + size, 0), 'the child sent what it announced');
  return { copy: new Uint8Array(body).buffer, bytes: loaded.bytes, rows, dropped, units: loaded.units ?? 0 };
}

/**
 * The rows of a study that trains at this member. Throws DATASET_CHANGED, DATASET_UNBOUND_TABLE, the SELECT's refusals, DATASET_TIMEOUT, or, where cells are
 * wrong, the error of the first problem with all of them in its message.
 */
export async function loadFeatures(study: TrainingStudy, binding: Binding, options: LoadOptions, parts: DatasetParts): Promise<FeatureTable> {
  const { copy, bytes, rows, dropped } = await goodRows(study, binding, options, parts);
  const [features, labels, split] = bytes;
  return {
    featureNames: study.manifest.features.column.map(({ name }) => name),
    rows,
    features: new Float32Array(copy, 0, features / 4),
    labels: new Float32Array(copy, features, labels / 4),
    split: new Uint8Array(copy, features + labels, split),
    dataVersion: binding.dataVersion,
    dropped,
  };
}

/** The rows of a study that counts at this member. Throws as `loadFeatures` does. */
export async function loadRecords(study: StatisticsStudy, binding: Binding, options: LoadOptions, parts: DatasetParts): Promise<RecordTable> {
  const { copy, bytes, rows, dropped, units: unitCount } = await goodRows(study, binding, options, parts);
  const [positions, units, values] = bytes;
  return {
    rows,
    positions: new Int32Array(copy.slice(0, positions)),
    units: new Int32Array(copy.slice(positions, positions + units)),
    unitCount,
    values: new Float64Array(copy.slice(positions + units, positions + units + values)),
    dataVersion: binding.dataVersion,
    dropped,
  };
}

/** What `dataset check` shows: counts of rows, classes, empty cells and every problem; cells that are wrong do not throw. */
export async function checkDataset(study: Study, binding: Binding, options: LoadOptions, parts: DatasetParts): Promise<QualityReport> {
  return (await load(study, binding, options, parts)).loaded.report;
}
