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

/** Throws where cells are wrong; else the parts of the body. */
async function goodRows(study: Study, binding: Binding, options: LoadOptions, parts: DatasetParts, unitSecret = '') {
  const { loaded, body } = await load(study, binding, options, parts, unitSecret);
  const { problems, rows, dropped } = loaded.report;
  const [first] = problems;
  if (first !== undefined) throw datasetErrors[first.code]({ problems });
  assert(body.length === loaded.bytes.reduce((sum, size) => sum + size, 0), 'the child sent what it announced');
  let at = 0;
  const arrays = loaded.bytes.map((size) => {
    at += size;
    return body.subarray(at - size, at);
  });
  return { arrays, rows, dropped };
}

const none = new Uint8Array(0);

/** Where numbers of `sizeBytes` bytes each can be viewed in a part of the body; a copy is made only where they could not. */
function aligned(part: Uint8Array, sizeBytes: number): { readonly buffer: ArrayBuffer; readonly byteOffset: number; readonly length: number } {
  const length = part.byteLength / sizeBytes;
  const { buffer, byteOffset } = part;
  return buffer instanceof ArrayBuffer && byteOffset % sizeBytes === 0
    ? { buffer, byteOffset, length }
    : { buffer: part.slice().buffer, byteOffset: 0, length };
}

/**
 * The rows of a study that trains at this member. Throws DATASET_CHANGED, DATASET_UNBOUND_TABLE, the SELECT's refusals, DATASET_TIMEOUT, or, where cells are
 * wrong, the error of the first problem with all of them in its message.
 */
export async function loadFeatures(study: TrainingStudy, binding: Binding, options: LoadOptions, parts: DatasetParts): Promise<FeatureTable> {
  const { arrays, rows, dropped } = await goodRows(study, binding, options, parts);
  const [features, labels, split] = [aligned(arrays[0] ?? none, 4), aligned(arrays[1] ?? none, 4), aligned(arrays[2] ?? none, 1)];
  return {
    featureNames: study.manifest.features.column.map(({ name }) => name),
    rows,
    features: new Float32Array(features.buffer, features.byteOffset, features.length),
    labels: new Float32Array(labels.buffer, labels.byteOffset, labels.length),
    split: new Uint8Array(split.buffer, split.byteOffset, split.length),
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
  const [positions, units] = [aligned(arrays[0] ?? none, 4), aligned(arrays[1] ?? none, 4)];
  const [values, keys] = [aligned(arrays[2] ?? none, 8), aligned(arrays[3] ?? none, 8)];
  const unitKeys = new BigUint64Array(keys.buffer, keys.byteOffset, keys.length);
  return {
    rows,
    positions: new Int32Array(positions.buffer, positions.byteOffset, positions.length),
    units: new Int32Array(units.buffer, units.byteOffset, units.length),
    unitCount: unitKeys.length,
    unitKeys,
    values: new Float64Array(values.buffer, values.byteOffset, values.length),
    dataVersion: binding.dataVersion,
    dropped,
  };
}

/** What `dataset check` shows: counts of rows, classes, empty cells and every problem; cells that are wrong do not throw. */
export async function checkDataset(study: Study, binding: Binding, options: LoadOptions, parts: DatasetParts): Promise<QualityReport> {
  return (await load(study, binding, options, parts)).loaded.report;
}
