/** Byte helpers that every room needs: hexadecimal, concatenation, constant-time equality, little-endian numbers. */

const encoder = new TextEncoder();

/** Lower-case hexadecimal of `bytes`, two digits a byte, no prefix. */
export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex');
}

/** The bytes of an even-length hexadecimal text, with or without `0x`; undefined where it is not one. */
export function fromHex(text: string): Uint8Array | undefined {
  const digits = text.startsWith('0x') ? text.slice(2) : text;
  if (digits.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(digits)) return undefined;
  return new Uint8Array(Buffer.from(digits, 'hex'));
}

/**
 * Zeros outside V8's own heap, for what is secret: whoever overwrites them overwrites all that there is. Arrays of up to 64 bytes lie in the heap otherwise,
 * which copies them, and leaves the old bytes, when it is collected or when native code looks at them.
 */
export function ownMemory(sizeBytes: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(new ArrayBuffer(sizeBytes));
}

/** A copy in memory of its own. */
export function ownCopy(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const copy = ownMemory(bytes.length);
  copy.set(bytes);
  return copy;
}

/** One new array that holds all `parts` in order, in memory of its own. */
export function concat(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = ownMemory(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** True where both hold the same bytes; the time taken depends on the length alone. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let at = 0; at < a.length; at++) difference |= (a[at] ?? 0) ^ (b[at] ?? 0);
  return difference === 0;
}

/** UTF-8 bytes of `text`. */
export function utf8(text: string): Uint8Array {
  return encoder.encode(text);
}

/** `value` (0 to 2^32-1) as four little-endian bytes. */
export function u32(value: number): Uint8Array {
  return new Uint8Array([value, value >>> 8, value >>> 16, value >>> 24]);
}

/** `value` (0 to 2^64-1) as eight little-endian bytes. */
export function u64(value: bigint): Uint8Array {
  return new Uint8Array(new BigUint64Array([value]).buffer);
}
