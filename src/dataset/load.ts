/** The parent's side: a fresh child for each load, its answer turned into rows or into one error. */
import { assert, type Clock, isSwarmError, type Logger } from '../common/index.ts';
import { type ChildAnswer, startChild } from '../sandbox/index.ts';
import { isTraining, type StatisticsStudy, type Study, type TrainingStudy } from '../study/index.ts';
import { type Binding, checkStamps, checkUnchanged, filesByTable, stampsOf } from './binding.ts';
import type { LoadedHeader, LoadHeader } from './child-messages.ts';
import { datasetErrors } from './errors.ts';
import { datasetLimits } from './limits.ts';
import type { RecordTable } from './records.ts';
import type { QualityReport } from './report.ts';
import type { DroppedRows, FeatureTable } from './table.ts';

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
  unitSecret = '',
): Promise<{ readonly loaded: LoadedHeader; readonly body: Uint8Array }> {
  const tables = filesByTable(study, binding);
  const stamps = await stampsOf(binding);
  await checkUnchanged(binding, options);
  const { header, body } = await ask({ tables, sql: study.featuresSql, terms: termsOf(study, unitSecret) }, options, parts);
  await checkStamps(binding, stamps);
  // The child is our own module: its header is a LoadedHeader.
  const loaded = header as LoadedHeader;
  return { loaded: { ...loaded, report: { ...loaded.report, dropped: [...withoutConsent(binding), ...loaded.report.dropped] } }, body };
}

/** Rows that the binding left out. */
function withoutConsent({ files }: Binding): readonly DroppedRows[] {
  const count = files.reduce((sum, { leftOut = 0 }) => sum + leftOut, 0);
  return count === 0 ? [] : [{ reason: 'no consent, so it was not bound', count }];
}

function termsOf(study: Study, unitSecret: string): LoadHeader['terms'] {
  if (isTraining(study)) {
    const { features, label, split, missing } = study.manifest;
    return { features, label, split, missing };
  }
  const { unit, dimension, variable } = study.manifest;
  return { unit, dimension, variable, unitSecret };
}

/** Throws where cells are wrong; else the parts of the body, each in memory of its own. */
async function goodRows(study: Study, binding: Binding, options: LoadOptions, parts: DatasetParts, unitSecret = '') {
  const { loaded, body } = await load(study, binding, options, parts, unitSecret);
  const { problems, rows, dropped } = loaded.report;
  const [first] = problems;
  if (first !== undefined) throw datasetErrors[first.code]({ problems });
  assert(body.length === loaded.bytes.reduce((sum, size) => sum + size, 0), 'the child sent what it announced');
  let at = 0;
  const arrays = loaded.bytes.map((size) => {
    at += size;
    return body.slice(at - size, at).buffer;
  });
  return { arrays, rows, dropped };
}

/**
 * The rows of a study that trains at this member. Throws DATASET_CHANGED, DATASET_UNBOUND_TABLE, the SELECT's refusals, DATASET_TIMEOUT, or, where cells are
 * wrong, the error of the first problem with all of them in its message.
 */
export async function loadFeatures(study: TrainingStudy, binding: Binding, options: LoadOptions, parts: DatasetParts): Promise<FeatureTable> {
  const { arrays, rows, dropped } = await goodRows(study, binding, options, parts);
  const [features = new ArrayBuffer(0), labels = new ArrayBuffer(0), split = new ArrayBuffer(0)] = arrays;
  return {
    featureNames: study.manifest.features.column.map(({ name }) => name),
    rows,
    features: new Float32Array(features),
    labels: new Float32Array(labels),
    split: new Uint8Array(split),
    dataVersion: binding.dataVersion,
    dropped,
  };
}

/** The rows of a study that counts at this member; `unitSecret` keys its units. Throws as `loadFeatures` does. */
export async function loadRecords(
  study: StatisticsStudy,
  binding: Binding,
  { unitSecret, ...options }: LoadOptions & { readonly unitSecret: string },
  parts: DatasetParts,
): Promise<RecordTable> {
  const { arrays, rows, dropped } = await goodRows(study, binding, options, parts, unitSecret);
  const [positions = new ArrayBuffer(0), units = new ArrayBuffer(0), values = new ArrayBuffer(0), keys = new ArrayBuffer(0)] = arrays;
  const unitKeys = new BigUint64Array(keys);
  return {
    rows,
    positions: new Int32Array(positions),
    units: new Int32Array(units),
    unitCount: unitKeys.length,
    unitKeys,
    values: new Float64Array(values),
    dataVersion: binding.dataVersion,
    dropped,
  };
}

/** What `dataset check` shows: counts of rows, classes, empty cells and every problem; cells that are wrong do not throw. */
export async function checkDataset(study: Study, binding: Binding, options: LoadOptions, parts: DatasetParts): Promise<QualityReport> {
  return (await load(study, binding, options, parts)).loaded.report;
}
