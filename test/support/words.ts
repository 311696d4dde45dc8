/** 32-bit words as bytes at any place in memory, for tests of word kernels. */

/** Words as bytes that begin `offset` bytes into their buffer, before bytes that stay as they are. */
export function bytesOf(words: ArrayLike<number>, offset = 0): Uint8Array {
  const whole = new Uint8Array(offset + 4 * words.length + 16).fill(0xee);
  whole.set(new Uint8Array(Uint32Array.from(words).buffer), offset);
  return whole.subarray(offset, offset + 4 * words.length);
}

/** The 32-bit words that bytes hold. */
export function wordsOf(bytes: Uint8Array): number[] {
  return [...new Uint32Array(bytes.slice().buffer)];
}
