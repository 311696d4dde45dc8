/** One member's part of a Newton step: gradient, Hessian (of minus the log-likelihood) and log-likelihood at given coefficients, as sums over its rows. */
import type { Design } from './design.ts';
import type { TableModel } from './terms.ts';

/** Sums over rows; the Hessian's lower half, in rows. */
export interface LikelihoodSums {
  readonly gradient: Float64Array<ArrayBuffer>;
  readonly hessian: Float64Array<ArrayBuffer>;
  readonly logLikelihood: number;
}

/** Of one row: the derivative of the log-likelihood by the linear predictor, minus its second derivative, and the log-likelihood without what no coefficient changes. */
interface RowTerms {
  readonly slope: number;
  readonly curvature: number;
  readonly value: number;
}

/** Largest linear predictor of a rate: what lies above it is no step that stays. */
const largestLogRate = 30;

/** McCullagh and Nelder (1989), table 2.1, with the canonical link of each family. */
function termsOf(kind: TableModel['kind'], outcome: number, predictor: number): RowTerms {
  if (kind === 'linear') return { slope: outcome - predictor, curvature: 1, value: -((outcome - predictor) ** 2) / 2 };
  if (kind === 'logistic') {
    const chance = predictor >= 0 ? 1 / (1 + Math.exp(-predictor)) : Math.exp(predictor) / (1 + Math.exp(predictor));
    const value = outcome * predictor - (predictor > 0 ? predictor + Math.log1p(Math.exp(-predictor)) : Math.log1p(Math.exp(predictor)));
    return { slope: outcome - chance, curvature: chance * (1 - chance), value };
  }
  const bounded = Math.min(largestLogRate, predictor);
  const rate = Math.exp(bounded);
  return { slope: outcome - rate, curvature: rate, value: outcome * bounded - rate };
}

/** The sums at `coefficients`, float64 `[columns]`. */
export function likelihoodSums(kind: TableModel['kind'], design: Design, coefficients: Float64Array): LikelihoodSums {
  const { rows, width, columns, outcome, offset } = design;
  const gradient = new Float64Array(width);
  const hessian = new Float64Array((width * (width + 1)) / 2);
  let logLikelihood = 0;
  for (let row = 0; row < rows; row++) {
    const x = columns.subarray(row * width, (row + 1) * width);
    const predictor = x.reduce((sum, value, k) => sum + value * (coefficients[k] ?? 0), offset[row] ?? 0);
    const { slope, curvature, value } = termsOf(kind, outcome[row] ?? 0, predictor);
    logLikelihood += value;
    addRow(gradient, hessian, x, slope, curvature);
  }
  return { gradient, hessian, logLikelihood };
}

function addRow(gradient: Float64Array, hessian: Float64Array, x: Float64Array, slope: number, curvature: number): void {
  let at = 0;
  for (let k = 0; k < x.length; k++) {
    const value = x[k] ?? 0;
    gradient[k] = (gradient[k] ?? 0) + slope * value;
    for (let l = 0; l <= k; l++, at++) hessian[at] = (hessian[at] ?? 0) + curvature * value * (x[l] ?? 0);
  }
}
