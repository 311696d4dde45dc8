/** Arrays that grow while rows come. */

type Grown = Float32Array<ArrayBuffer> | Float64Array<ArrayBuffer> | Int32Array<ArrayBuffer> | Uint8Array<ArrayBuffer>;

/** An array of numbers that grows by doubling. */
export class Growing<T extends Grown> {
  #values: T;
  readonly #make: (length: number) => T;

  constructor(make: (length: number) => T) {
    this.#make = make;
    this.#values = make(4_096);
  }

  /** The array, with room for `length` values. */
  withRoom(length: number): T {
    if (length > this.#values.length) {
      const larger = this.#make(Math.max(length, 2 * this.#values.length));
      larger.set(this.#values);
      this.#values = larger;
    }
    return this.#values;
  }
}
