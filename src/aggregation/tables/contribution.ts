/**
 * What one member puts into each sum of a study that counts. The disclosure rules are kept here, before anything is masked: cells to which too few sites
 * contribute are empty, and so are models that may not be shown.
 */
import type { SegmentValues } from '../plan.ts';
import { cellSums } from './cell-sums.ts';
import { CellTree } from './cells.ts';
import { countPhase } from './count-plan.ts';
import { type CountSlots, type CountState, countSlots, slotOf } from './count-state.ts';
import { type Design, designOf } from './design.ts';
import { presence } from './disclosure.ts';
import { fitsOf, modelFactsOf } from './fits.ts';
import { likelihoodSums } from './likelihood.ts';
import { type CountedRows, columnsOf, halfSquare, type TableTerms } from './terms.ts';

/** The values of the sum that follows `state`; `withheld` names cells that this member keeps out of it, because they are too close to what it gave before. */
export function contribution(terms: TableTerms, state: CountState, records: CountedRows, withheld: ReadonlySet<number> = new Set()): SegmentValues {
  const phase = countPhase(terms, state.ordinal);
  const slots = countSlots(terms);
  switch (phase.kind) {
    case 'presence':
      return presenceOf(terms, records, withheld);
    case 'tables':
      return tablesOf(terms, slots, state, records);
    case 'votes':
      return votesOf(terms, slots, state, records);
    case 'step':
      return stepOf(terms, slots, state, records, phase.step);
  }
}

function designsOf(terms: TableTerms, records: CountedRows): readonly Design[] {
  return terms.models.map((model) => designOf(terms, model, records));
}

const isThere = (count: number): number => (count > 0 ? 1 : 0);

function presenceOf(terms: TableTerms, records: CountedRows, withheld: ReadonlySet<number>): SegmentValues {
  const { rows } = cellSums(terms, new CellTree(terms.widths), records);
  return {
    sites: rows.map((count, cell) => (withheld.has(cell) ? 0 : isThere(count))),
    withheld: rows.map((count, cell) => (withheld.has(cell) ? isThere(count) : 0)),
    modelSites: designsOf(terms, records).map((design) => (withheld.has(0) ? 0 : isThere(design.rows))),
    modelWithheld: designsOf(terms, records).map((design) => (withheld.has(0) ? isThere(design.rows) : 0)),
  };
}

/** Numbers of cells that may be opened; zero elsewhere. `parts` numbers belong to each cell, of each of `lists` lists. */
function openOnly(values: Float64Array, isOpen: (cell: number) => boolean, cells: number, parts = 1): Float64Array {
  return values.map((value, at) => (isOpen(Math.floor(at / parts) % cells) ? value : 0));
}

function tablesOf(terms: TableTerms, slots: CountSlots, state: CountState, records: CountedRows): SegmentValues {
  const cells = new CellTree(terms.widths);
  const codes = slotOf(state, slots.presence);
  const isOpen = (cell: number): boolean => codes[cell] === presence.enough;
  const own = cellSums(terms, cells, records);
  const designs = designsOf(terms, records);
  const ofModel = (pick: (design: Design) => number): readonly number[] => designs.map((design, at) => (isOpen(cells.size + at) ? pick(design) : 0));
  return {
    units: openOnly(own.units, isOpen, cells.size),
    rows: openOnly(own.rows, isOpen, cells.size),
    counts: openOnly(own.counts, isOpen, cells.size),
    sums: openOnly(own.sums, isOpen, cells.size),
    squares: openOnly(own.squares, isOpen, cells.size),
    bins: openBins(terms, own.bins, isOpen, cells.size),
    modelUnits: ofModel(({ units }) => units),
    modelRows: ofModel(({ rows }) => rows),
    modelOutcome: ofModel(({ outcome }) => outcome.reduce((sum, value) => sum + value, 0)),
    modelExposure: ofModel(({ offset }) => offset.reduce((sum, value) => sum + Math.exp(value), 0)),
    modelSides: designs.flatMap(({ sides }, at) => [...sides].map((rows) => (isOpen(cells.size + at) ? rows : 0))),
  };
}

function openBins({ variables }: TableTerms, bins: Float64Array, isOpen: (cell: number) => boolean, cells: number): Float64Array {
  const open = bins.slice();
  let from = 0;
  for (const { bins: parts } of variables) {
    const own = open.subarray(from, from + parts * cells);
    own.set(openOnly(own, isOpen, cells, parts));
    from += own.length;
  }
  return open;
}

/** A vote for each cell and model in which this member's own units are more than the largest share. */
function votesOf(terms: TableTerms, slots: CountSlots, state: CountState, records: CountedRows): SegmentValues {
  const { units } = cellSums(terms, new CellTree(terms.widths), records);
  const all = slotOf(state, slots.units);
  const dominates = (own: number, total: number): number => (total > 0 && own > terms.dominance * total ? 1 : 0);
  return {
    dominated: units.map((own, cell) => dominates(own, all[cell] ?? 0)),
    modelDominated: designsOf(terms, records).map((design, at) => dominates(design.units, modelFactsOf(state, slots, at).units)),
  };
}

function stepOf(terms: TableTerms, slots: CountSlots, state: CountState, records: CountedRows, step: number): SegmentValues {
  const fits = fitsOf(terms, slots, state, step);
  const parts = terms.models.map((model, at) => {
    const fit = fits[at];
    const columns = columnsOf(model);
    const sums =
      fit?.kind === 'fitted'
        ? likelihoodSums(model.kind, designOf(terms, model, records), fit.coefficients)
        : { gradient: new Float64Array(columns), hessian: new Float64Array(halfSquare(columns)), logLikelihood: 0 };
    return { [`gradient ${at}`]: sums.gradient, [`hessian ${at}`]: sums.hessian, [`likelihood ${at}`]: [sums.logLikelihood] };
  });
  return Object.assign({}, ...parts);
}
