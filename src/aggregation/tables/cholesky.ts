/** Symmetric positive definite matrices of a few dozen rows: Cholesky's factor and the inverse (Golub and Van Loan, Matrix Computations, section 4.2). */
import { halfSquare } from './terms.ts';

/** Pivots below this part of the diagonal are taken for zero: a column that follows from the others. */
const smallestPivot = 1e-11;

/** Rows below the diagonal of a square matrix, float64 `[size, size]`. */
class Factor {
  readonly #values: Float64Array<ArrayBuffer>;
  readonly #size: number;

  constructor(size: number) {
    this.#size = size;
    this.#values = new Float64Array(size * size);
  }

  at(row: number, column: number): number {
    return this.#values[row * this.#size + column] ?? 0;
  }

  set(row: number, column: number, value: number): void {
    this.#values[row * this.#size + column] = value;
  }

  /** Sum of the products of the first `count` values of two rows. */
  product(a: number, b: number, count: number): number {
    let sum = 0;
    for (let k = 0; k < count; k++) sum += this.at(a, k) * this.at(b, k);
    return sum;
  }

  /** Solves factor · factorᵀ · x = `right`, in place. */
  solve(right: Float64Array): void {
    for (let row = 0; row < this.#size; row++) {
      let rest = right[row] ?? 0;
      for (let k = 0; k < row; k++) rest -= this.at(row, k) * (right[k] ?? 0);
      right[row] = rest / this.at(row, row);
    }
    for (let row = this.#size - 1; row >= 0; row--) {
      let rest = right[row] ?? 0;
      for (let k = row + 1; k < this.#size; k++) rest -= this.at(k, row) * (right[k] ?? 0);
      right[row] = rest / this.at(row, row);
    }
  }
}

/** The factor of a matrix given by its lower half in rows; undefined where it is not positive definite. */
function cholesky(half: ArrayLike<number>, size: number): Factor | undefined {
  const factor = new Factor(size);
  for (let row = 0; row < size; row++) {
    const diagonal = half[halfSquare(row) + row] ?? 0;
    for (let column = 0; column < row; column++)
      factor.set(row, column, ((half[halfSquare(row) + column] ?? 0) - factor.product(row, column, column)) / factor.at(column, column));
    const pivot = diagonal - factor.product(row, row, row);
    if (!(pivot > smallestPivot * diagonal)) return undefined;
    factor.set(row, row, Math.sqrt(pivot));
  }
  return factor;
}

/** The inverse of a matrix given by its lower half in rows, float64 `[size, size]`; undefined where it is not positive definite. */
export function inverseOf(half: ArrayLike<number>, size: number): Float64Array<ArrayBuffer> | undefined {
  const factor = cholesky(half, size);
  if (!factor) return undefined;
  const inverse = new Float64Array(size * size);
  for (let unit = 0; unit < size; unit++) {
    const column = inverse.subarray(unit * size, (unit + 1) * size);
    column[unit] = 1;
    factor.solve(column);
  }
  return inverse;
}

/** A square matrix, float64 `[size, size]`, times a vector. */
export function times(matrix: Float64Array, vector: Float64Array): Float64Array<ArrayBuffer> {
  const size = vector.length;
  return Float64Array.from(vector, (_, row) => vector.reduce((sum, value, k) => sum + (matrix[row * size + k] ?? 0) * value, 0));
}
