/** The sums of a run that counts, one plan each: who contributes to each cell, the tables, votes on dominance, and steps of the models. */
import { assert } from '../../common/index.ts';
import { largestScale } from '../../tensor/index.ts';
import { decodeSum, type Segment, type SumPlan } from '../plan.ts';
import { cellCount } from './cells.ts';
import { type CountSlot, type CountState, countSlots } from './count-state.ts';
import { presenceCodes } from './disclosure.ts';
import { modelFactsOf } from './fits.ts';
import { hideDominated, putTables } from './opened-tables.ts';
import { columnsOf, halfSquare, type TableModel, type TableTerms } from './terms.ts';

/** Rows of one member in any cell. */
const maxRows = 2 ** 32;
/** Largest sum that one member can contribute exactly. */
const maxSum = 2 ** 53;
/** Largest exposure (sum of the exponentials of an offset) of one member. */
const maxExposure = 2 ** 40;

/** Which sum of the run a state is followed by. */
export type CountPhase = { readonly kind: 'presence' | 'tables' | 'votes' } | { readonly kind: 'step'; readonly step: number };

/** The sum number `ordinal` of a run. */
export function countPhase({ dominance }: Pick<TableTerms, 'dominance'>, ordinal: number): CountPhase {
  const votes = dominance < 1;
  if (ordinal === 0) return { kind: 'presence' };
  if (ordinal === 1) return { kind: 'tables' };
  if (ordinal === 2 && votes) return { kind: 'votes' };
  return { kind: 'step', step: ordinal - (votes ? 3 : 2) };
}

function words(name: string, length: number, range: number, scale = 1): Segment[] {
  return length > 0 ? [{ name, length, wordBits: 64, range, scale }] : [];
}

function flags(name: string, length: number): Segment[] {
  return length > 0 ? [{ name, length, wordBits: 32, range: 1, scale: 1 }] : [];
}

function tableSegments(terms: TableTerms): readonly Segment[] {
  const { widths, variables, models, members } = terms;
  const [cells, count] = [cellCount(widths), variables.length];
  const largest = models.reduce((most, model) => Math.max(most, largestOutcome(terms, model)), 1) * maxRows;
  return [
    ...words('units', cells, maxRows),
    ...words('rows', cells, maxRows),
    ...words('counts', count * cells, maxRows),
    ...words('sums', count * cells, maxSum),
    ...words('squares', count * cells, maxSum),
    ...words('bins', cells * variables.reduce((sum, { bins }) => sum + bins, 0), maxRows),
    ...words('modelUnits', models.length, maxRows),
    ...words('modelRows', models.length, maxRows),
    ...words('modelOutcome', models.length, largest, largestScale(largest, members, 64)),
    ...words('modelExposure', models.length, maxExposure, largestScale(maxExposure, members, 64)),
    ...words(
      'modelSides',
      models.reduce((sum, model) => sum + 2 * columnsOf(model), 0),
      maxRows,
    ),
  ];
}

/** Largest absolute value of an outcome in the units in which it is fitted. */
function largestOutcome({ variables }: TableTerms, { kind, outcome }: TableModel): number {
  return kind === 'poisson' ? (variables[outcome]?.maximum ?? 1) : 1;
}

/** Bounds of the words of one model over `rows` rows of all members: columns are at most 1 in absolute value, outcomes at most `largestOutcome`. */
function stepSegments(terms: TableTerms, model: TableModel, at: number, rows: number): readonly Segment[] {
  const { members } = terms;
  const columns = columnsOf(model);
  const largest = 4 * Math.max(1, rows) * Math.max(1, largestOutcome(terms, model));
  const likelihood = 32 * largest;
  const scale = largestScale(largest, members, 64);
  return [
    ...words(`gradient ${at}`, columns, largest, scale),
    ...words(`hessian ${at}`, halfSquare(columns), largest, scale),
    ...words(`likelihood ${at}`, 1, likelihood, largestScale(likelihood, members, 64)),
  ];
}

/** The plan of the sum that follows `state`. Ranges of a model's words follow the rows that the tables counted. */
export function countPlan(terms: TableTerms, state: CountState): SumPlan {
  const { widths, models } = terms;
  const cells = cellCount(widths);
  const phase = countPhase(terms, state.ordinal);
  const plan = (purpose: SumPlan['purpose'], segments: readonly Segment[]): SumPlan => ({ purpose, ordinal: state.ordinal, segments });
  switch (phase.kind) {
    case 'presence':
      return plan('presence', [
        ...flags('sites', cells),
        ...flags('withheld', cells),
        ...flags('modelSites', models.length),
        ...flags('modelWithheld', models.length),
      ]);
    case 'tables':
      return plan('tables', tableSegments(terms));
    case 'votes':
      return plan('votes', [...flags('dominated', cells), ...flags('modelDominated', models.length)]);
    case 'step': {
      const slots = countSlots(terms);
      return plan(
        'step',
        models.flatMap((model, at) => stepSegments(terms, model, at, modelFactsOf(state, slots, at).rows)),
      );
    }
  }
}

/** The state after a sum: what it opened, with everything left out that must not be shown. */
export function afterCount(terms: TableTerms, state: CountState, sum: Uint8Array): CountState {
  const slots = countSlots(terms);
  const next: CountState = { ordinal: state.ordinal + 1, opened: state.opened.slice() };
  const opened = decodeSum(countPlan(terms, state), sum);
  const phase = countPhase(terms, state.ordinal);
  const put = (slot: CountSlot, ...parts: (Float64Array | undefined)[]): void => {
    let at = slot.from;
    for (const part of parts) {
      next.opened.set(part ?? [], at);
      at += part?.length ?? 0;
    }
    assert(at === slot.from + slot.length, 'what a sum opens fills its place');
  };
  switch (phase.kind) {
    case 'presence': {
      const codes = (sites: Float64Array = new Float64Array(0), withheld: Float64Array = new Float64Array(0)) => presenceCodes(sites, withheld, terms.minSites);
      put(slots.presence, codes(opened['sites'], opened['withheld']), codes(opened['modelSites'], opened['modelWithheld']));
      break;
    }
    case 'tables':
      putTables(terms, slots, next, opened);
      break;
    case 'votes':
      put(slots.dominated, opened['dominated']?.map(isVoted), opened['modelDominated']?.map(isVoted));
      hideDominated(terms, slots, next);
      break;
    case 'step': {
      const slot = slots.steps[phase.step];
      assert(slot, 'a run has as many steps as its study says');
      put(slot, ...terms.models.flatMap((_, at) => [opened[`gradient ${at}`], opened[`hessian ${at}`], opened[`likelihood ${at}`]]));
    }
  }
  return next;
}

const isVoted = (votes: number): number => (votes > 0 ? 1 : 0);
