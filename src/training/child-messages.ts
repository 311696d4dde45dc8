/** What parent and training child say to each other: small JSON headers, and bulk as bytes of float32 arrays laid end to end. */
import { concat } from '../common/index.ts';
import type { LocalTraining, TrainingTask } from './trainer.ts';

/** Header of `prepare`: the task without its arrays; `bytes` are the lengths of features, labels, split and model in the body. */
export interface PrepareHeader {
  readonly terms: Omit<TrainingTask, 'model' | 'table' | 'standardisation'>;
  readonly featureNames: readonly string[];
  readonly rows: number;
  readonly dataVersion: string;
  readonly standardisation: { readonly mean: readonly number[]; readonly sd: readonly number[] } | undefined;
  readonly bytes: readonly number[];
}

/** Header of `train`; the body holds the parameters. */
export type TrainHeader = Omit<LocalTraining, 'parameters'>;

/** The bytes under a typed array, without a copy. */
export function bytesOf(array: Float32Array | Uint8Array): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

/** The bytes as float32 without a copy where they are aligned, as the body of a frame is. */
export function floatsIn(bytes: Uint8Array): Float32Array {
  return bytes.byteOffset % 4 === 0 ? new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4) : floatsOf(bytes);
}

/** A float32 array of its own over `bytes`. */
export function floatsOf(bytes: Uint8Array): Float32Array<ArrayBuffer> {
  return new Float32Array(new Uint8Array(bytes).buffer);
}

/** The body of `prepare`, and the lengths that its header needs. */
export function packTask({ table, model }: TrainingTask): { readonly body: Uint8Array; readonly bytes: readonly number[] } {
  const parts = [bytesOf(table.features), bytesOf(table.labels), table.split, model];
  return { body: concat(...parts), bytes: parts.map((part) => part.length) };
}

/** Parts of the given lengths, in order. */
export function cut(body: Uint8Array, lengths: readonly number[]): readonly Uint8Array[] {
  let at = 0;
  return lengths.map((length) => {
    at += length;
    return body.subarray(at - length, at);
  });
}
