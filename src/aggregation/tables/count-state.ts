/**
 * The state of a run that counts: what its sums have opened so far, after the disclosure rules. Numbers that are not to be shown are never in it. Everything
 * else (the next plan, coefficients) follows from it, so it is all that members have to agree on.
 */
import { concat, u32, utf8 } from '../../common/index.ts';
import { aggregationErrors } from '../errors.ts';
import { cellCount } from './cells.ts';
import { columnsOf, halfSquare, type TableTerms } from './terms.ts';

/** What a run that counts carries from round to round. */
export interface CountState {
  /** Sums that became FINAL before this state. */
  readonly ordinal: number;
  /** Numbers of all sums of the run in order (see `countSlots`), zero where a sum is ahead or a number is not shown. float64 `[words]` */
  readonly opened: Float64Array<ArrayBuffer>;
}

/** Where the numbers of one kind lie in `opened`. */
export interface CountSlot {
  readonly from: number;
  readonly length: number;
}

/** Places of everything that the sums of a run open. */
export interface CountSlots {
  /** Presence of each cell, then of each model. */
  readonly presence: CountSlot;
  readonly units: CountSlot;
  readonly rows: CountSlot;
  /** For each variable in turn, for each cell: rows with a value, their sum, the sum of squares. */
  readonly counts: CountSlot;
  readonly sums: CountSlot;
  readonly squares: CountSlot;
  /** For each variable with quantiles, for each cell, for each quantile: the part of the range that it lies in, from 1; 0 where it is not told. */
  readonly quantiles: CountSlot;
  /** For each model: units, rows, sum of the outcome, sum of the exposure. */
  readonly models: CountSlot;
  /** 1 where a site's own share is too large: cells, then models. */
  readonly dominated: CountSlot;
  /** For each step, for each model: gradient, Hessian, log-likelihood. */
  readonly steps: readonly CountSlot[];
  readonly words: number;
}

/** Numbers of one model in one step. */
export function stepWords(columns: number): number {
  return columns + halfSquare(columns) + 1;
}

/** Numbers that are kept of each model from the tables. */
export const modelFacts = 4;

/** The layout of `opened`. */
export function countSlots({ widths, variables, models, steps }: TableTerms): CountSlots {
  let words = 0;
  const slot = (length: number): CountSlot => {
    words += length;
    return { from: words - length, length };
  };
  const cells = cellCount(widths);
  const asked = variables.reduce((sum, { quantiles }) => sum + quantiles.length, 0);
  const step = models.reduce((sum, model) => sum + stepWords(columnsOf(model)), 0);
  return {
    presence: slot(cells + models.length),
    units: slot(cells),
    rows: slot(cells),
    counts: slot(variables.length * cells),
    sums: slot(variables.length * cells),
    squares: slot(variables.length * cells),
    quantiles: slot(asked * cells),
    models: slot(modelFacts * models.length),
    dominated: slot(cells + models.length),
    steps: models.length > 0 ? Array.from({ length: steps }, () => slot(step)) : [],
    words,
  };
}

/** A part of `opened`: a view. */
export function slotOf({ opened }: Pick<CountState, 'opened'>, { from, length }: CountSlot): Float64Array<ArrayBuffer> {
  return opened.subarray(from, from + length);
}

const magic = utf8('schwarm/counts/1\n');

/** Bytes of every state of a run. */
export function countStateSizeBytes(terms: TableTerms): number {
  return magic.length + 8 + 8 * countSlots(terms).words;
}

/** The state before the first sum. */
export function firstCountState(terms: TableTerms): CountState {
  return { ordinal: 0, opened: new Float64Array(countSlots(terms).words) };
}

/** Canonical bytes: a mark, ordinal and number of words (u32), then the words as float64, all little-endian. */
export function countStateBytes({ ordinal, opened }: CountState): Uint8Array<ArrayBuffer> {
  return concat(magic, u32(ordinal), u32(opened.length), new Uint8Array(opened.buffer, opened.byteOffset, opened.byteLength));
}

/** Whether bytes begin as those of a state that counts do. */
export function isCountState(bytes: Uint8Array): boolean {
  return bytes.length >= magic.length && magic.every((byte, at) => bytes[at] === byte);
}

/** Reads canonical bytes into memory of its own. Throws AGGREGATION_BAD_STATE. */
export function countStateFrom(bytes: Uint8Array): CountState {
  const start = magic.length + 8;
  const bad = (): Error => aggregationErrors.AGGREGATION_BAD_STATE({ sizeBytes: bytes.length });
  if (!isCountState(bytes) || bytes.length < start) throw bad();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const words = view.getUint32(magic.length + 4, true);
  if (bytes.length !== start + 8 * words) throw bad();
  const opened = new Float64Array(words);
  new Uint8Array(opened.buffer).set(bytes.subarray(start));
  return { ordinal: view.getUint32(magic.length, true), opened };
}
