/** Whether bytes look like random ones: Pearson's chi-square over the 256 values (NIST SP 800-22 speaks of the same for bits). */

/** The statistic with 255 degrees of freedom: 255 is expected, its standard deviation is 22.6, and 400 is passed once in 10^8. */
export function chiSquare(bytes: Uint8Array): number {
  const counts = new Float64Array(256);
  for (const byte of bytes) counts[byte] = (counts[byte] ?? 0) + 1;
  const expected = bytes.length / 256;
  return counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
}

/** Share of 32-bit words that are the same in the same place. */
export function shareOfEqualWords(a: Uint8Array = new Uint8Array(0), b: Uint8Array = new Uint8Array(0)): number {
  const words = Math.floor(Math.min(a.length, b.length) / 4);
  let equal = 0;
  for (let at = 0; at < words; at++) if (Buffer.compare(a.subarray(4 * at, 4 * at + 4), b.subarray(4 * at, 4 * at + 4)) === 0) equal++;
  return words === 0 ? 1 : equal / words;
}

/** What words of an update look like without a mask: small fixed-point numbers of both signs, four bytes each. */
export function bytesOfPlainWords(count: number): Uint8Array {
  const words = Int32Array.from({ length: count }, (_, at) => Math.round(4_000 * Math.sin(at * 1.7) * Math.cos(at * 0.3)));
  return new Uint8Array(words.buffer);
}
