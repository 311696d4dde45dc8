/** One WebAssembly memory holds what training touches: parameters | gradients | first moments | second moments, each contiguous and aligned to 64 bytes. */

/** Views of equal length on one memory; `parameters` is the vector that travels. */
export interface ParameterMemory {
  readonly parameters: Float32Array<ArrayBuffer>;
  readonly gradients: Float32Array<ArrayBuffer>;
  /** Momentum of SGD, first moment of AdamW. */
  readonly first: Float32Array<ArrayBuffer>;
  /** Second moment of AdamW. */
  readonly second: Float32Array<ArrayBuffer>;
}

const pageBytes = 65_536;
const alignmentBytes = 64;

/** A memory for `count` parameters, all zero. It is not shared, because the runtime refuses shared memory. */
export function createParameterMemory(count: number): ParameterMemory {
  const regionBytes = Math.ceil((4 * count) / alignmentBytes) * alignmentBytes;
  const pages = Math.max(1, Math.ceil((4 * regionBytes) / pageBytes));
  const { buffer } = new WebAssembly.Memory({ initial: pages, maximum: pages });
  const region = (at: number) => new Float32Array(buffer, at * regionBytes, count);
  return { parameters: region(0), gradients: region(1), first: region(2), second: region(3) };
}
