/** The columns of a regression at one member: predictors and outcome in the units in which they are fitted. */
import { type CountedRows, columnsOf, spanOf, type TableModel, type TableTerms } from './terms.ts';

/** Rows that have a value in every column of a model. */
export interface Design {
  readonly rows: number;
  readonly width: number;
  /** The constant 1, then the predictors, each in -1 … 1. float64 `[rows, width]` */
  readonly columns: Float64Array<ArrayBuffer>;
  /** As it is for logistic and Poisson, in -1 … 1 for linear. float64 `[rows]` */
  readonly outcome: Float64Array<ArrayBuffer>;
  /** Zero where the model has none. float64 `[rows]` */
  readonly offset: Float64Array<ArrayBuffer>;
  /** Different units among the rows. */
  readonly units: number;
  /** Rows above the smallest and rows below the largest value: of the outcome, then of each predictor. float64 `[2 · width]` */
  readonly sides: Float64Array<ArrayBuffer>;
}

/** The rows that `model` can use. */
export function designOf({ variables }: Pick<TableTerms, 'variables'>, model: TableModel, records: CountedRows): Design {
  const count = variables.length;
  const used = [model.outcome, ...model.predictors].map((at) => ({ at, ...(variables[at] ?? { minimum: 0, maximum: 1 }) }));
  const places = [...used.map(({ at }) => at), ...(model.offset === undefined ? [] : [model.offset])];
  const valueAt = (row: number, at: number): number => records.values[row * count + at] ?? Number.NaN;
  const complete = Int32Array.from({ length: records.rows }, (_, row) => row).filter((row) => places.every((at) => !Number.isNaN(valueAt(row, at))));
  const width = columnsOf(model);
  const columns = new Float64Array(complete.length * width);
  const outcome = new Float64Array(complete.length);
  const sides = new Float64Array(2 * width);
  complete.forEach((row, index) => {
    columns[index * width] = 1;
    used.forEach((variable, k) => {
      const { middle, half } = spanOf(variable);
      const value = valueAt(row, variable.at);
      if (k > 0) columns[index * width + k] = (value - middle) / half;
      else outcome[index] = model.kind === 'linear' ? (value - middle) / half : value;
      if (value > variable.minimum) sides[2 * k] = (sides[2 * k] ?? 0) + 1;
      if (value < variable.maximum) sides[2 * k + 1] = (sides[2 * k + 1] ?? 0) + 1;
    });
  });
  return {
    rows: complete.length,
    width,
    columns,
    outcome,
    offset: Float64Array.from(complete, (row) => (model.offset === undefined ? 0 : valueAt(row, model.offset))),
    units: new Set(complete.map((row) => records.units[row] ?? 0)).size,
    sides,
  };
}
