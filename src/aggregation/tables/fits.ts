/**
 * Maximum likelihood by Newton's method where gradient and Hessian come as secure sums: the steps replayed from what was opened. Steps that made the
 * likelihood smaller are halved. Only decisions on opened numbers are taken, so that every member comes to the same coefficients.
 * McCullagh and Nelder, Generalized Linear Models (1989), sections 2.5 and 4.4.
 */
import { inverseOf, times } from './cholesky.ts';
import { type CountSlots, type CountState, modelFacts, slotOf, stepWords } from './count-state.ts';
import { columnsOf, halfSquare, type TableModel, type TableTerms } from './terms.ts';

/** Where a fit stands: the coefficients at which the next step is evaluated, or why there are none. */
export type Fit =
  | { readonly kind: 'hidden' }
  | { readonly kind: 'singular' }
  | {
      readonly kind: 'fitted';
      /** float64 `[columns]`, the constant first, in the units in which columns are fitted. */
      readonly coefficients: Float64Array<ArrayBuffer>;
      /** Inverse of the last Hessian, float64 `[columns, columns]`; undefined before the first step. */
      readonly covariance: Float64Array<ArrayBuffer> | undefined;
      /** At the coefficients of the last step that was summed. */
      readonly logLikelihood: number;
      /** Largest change of a coefficient in its last step, in standard errors. */
      readonly lastChange: number;
      readonly rows: number;
      readonly units: number;
    };

interface Facts {
  readonly units: number;
  readonly rows: number;
  readonly outcome: number;
  readonly exposure: number;
}

/** Zeros, and for Poisson the constant that gives the mean rate: from zero Newton's first step would be far too long. */
function startOf(model: TableModel, { outcome, exposure }: Facts): Float64Array<ArrayBuffer> {
  const start = new Float64Array(columnsOf(model));
  if (model.kind === 'poisson' && outcome > 0 && exposure > 0) start[0] = Math.log(outcome / exposure);
  return start;
}

/** One step: where it was evaluated, what came, and the move that follows. */
function replay(model: TableModel, facts: Facts, steps: readonly Float64Array[]): Fit {
  const columns = columnsOf(model);
  let [at, from, move] = [startOf(model, facts), startOf(model, facts), new Float64Array(columns)];
  let best = Number.NEGATIVE_INFINITY;
  let covariance: Float64Array<ArrayBuffer> | undefined;
  let lastChange = Number.POSITIVE_INFINITY;
  for (const step of steps) {
    const logLikelihood = step[columns + halfSquare(columns)] ?? 0;
    if (logLikelihood < best - 1e-9 * Math.abs(best)) move = move.map((part) => part / 2);
    else {
      const inverse = inverseOf(step.subarray(columns, columns + halfSquare(columns)), columns);
      if (!inverse) return { kind: 'singular' };
      [best, covariance, from] = [logLikelihood, inverse, at];
      move = times(inverse, step.subarray(0, columns));
    }
    const [origin, moved] = [from, move];
    at = Float64Array.from({ length: columns }, (_, k) => (origin[k] ?? 0) + (moved[k] ?? 0));
    lastChange = changeOf(move, covariance);
  }
  return { kind: 'fitted', coefficients: at, covariance, logLikelihood: best, lastChange, rows: facts.rows, units: facts.units };
}

function changeOf(move: Float64Array, covariance: Float64Array | undefined): number {
  const size = move.length;
  return move.reduce((most, part, k) => Math.max(most, Math.abs(part) / Math.sqrt(covariance?.[k * size + k] ?? 0)), 0);
}

/** What is known of each model from the tables: four numbers, all zero where it must not be shown. */
export function modelFactsOf(state: CountState, slots: CountSlots, model: number): Facts {
  const [units = 0, rows = 0, outcome = 0, exposure = 0] = slotOf(state, slots.models).subarray(modelFacts * model, modelFacts * (model + 1));
  return { units, rows, outcome, exposure };
}

/** All fits as they stand in a state of which `stepsDone` steps were summed. */
export function fitsOf(terms: TableTerms, slots: CountSlots, state: CountState, stepsDone: number): readonly Fit[] {
  let offset = 0;
  return terms.models.map((model, at) => {
    const facts = modelFactsOf(state, slots, at);
    const [from, size] = [offset, stepWords(columnsOf(model))];
    offset += size;
    if (facts.units === 0) return { kind: 'hidden' };
    const steps = slots.steps.slice(0, stepsDone).map((slot) => slotOf(state, slot).subarray(from, from + size));
    return replay(model, facts, steps);
  });
}
