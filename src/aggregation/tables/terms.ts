/** What the sums of a study that counts need to know of it, and the rows that they are made of. */

/** A number of each row. */
export interface TableVariable {
  readonly minimum: number;
  readonly maximum: number;
  /** Digits behind the point that are summed. */
  readonly decimals: number;
  /** Whether it is summed in the cells; else only models use it. */
  readonly table: boolean;
  /** Quantiles that are told, each in 0 … 1; none without `bins`. */
  readonly quantiles: readonly number[];
  /** Equal parts of the range in which values are counted for quantiles; 0 for none. */
  readonly bins: number;
}

/** One regression; its columns are variables by their place. */
export interface TableModel {
  readonly kind: 'linear' | 'logistic' | 'poisson';
  readonly outcome: number;
  readonly predictors: readonly number[];
  readonly offset?: number;
}

/** Everything that plans, disclosure rules and fits depend on; the same at every member. */
export interface TableTerms {
  readonly members: number;
  /** Values of each dimension. */
  readonly widths: readonly number[];
  readonly variables: readonly TableVariable[];
  readonly models: readonly TableModel[];
  /** Newton steps that all models take together. */
  readonly steps: number;
  readonly minSites: number;
  readonly minCount: number;
  /** Largest share of one site in a cell; 1 where nobody is asked. */
  readonly dominance: number;
  readonly rounding: number;
}

/** One member's rows. */
export interface CountedRows {
  readonly rows: number;
  /** Place of each row's value in the list of each dimension, or -1. int32 `[rows, dimensions]` */
  readonly positions: Int32Array;
  /** Whom each row is about, from 0. int32 `[rows]` */
  readonly units: Int32Array;
  /** Different units. */
  readonly unitCount: number;
  /** Values of the variables, NaN where there is none. float64 `[rows, variables]` */
  readonly values: Float64Array;
}

/** Columns of a model's design: the constant, then the predictors. */
export function columnsOf({ predictors }: TableModel): number {
  return 1 + predictors.length;
}

/** Hessians are symmetric: their words for `columns` columns. */
export function halfSquare(columns: number): number {
  return (columns * (columns + 1)) / 2;
}

/** Middle and half width of a range: (value − middle) / half lies in -1 … 1. */
export interface Span {
  readonly middle: number;
  readonly half: number;
}

/** Span of a variable's range. */
export function spanOf({ minimum, maximum }: Pick<TableVariable, 'minimum' | 'maximum'>): Span {
  return { middle: (minimum + maximum) / 2, half: (maximum - minimum) / 2 };
}
