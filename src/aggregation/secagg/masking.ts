/**
 * Masks: AES-256 in counter mode (NIST SP 800-38A) with a zero counter block as generator, added to words modulo 2^32 or 2^64.
 * The whole stream of a key serves one vector only.
 */
import { createCipheriv } from 'node:crypto';
import type { SegmentSlot } from '../plan.ts';

const blockSizeBytes = 65_536;
const zeroCounter = new Uint8Array(16);

/** Whether a mask is added or taken away. */
export type Sign = 1 | -1;

function addWords32(vector: DataView, stream: DataView, offset: number, size: number, streamAt: number, sign: Sign): void {
  for (let at = 0; at < size; at += 4) vector.setUint32(offset + at, vector.getUint32(offset + at, true) + sign * stream.getUint32(streamAt + at, true), true);
}

function addWords64(vector: DataView, stream: DataView, offset: number, size: number, streamAt: number, sign: Sign): void {
  for (let at = 0; at < size; at += 8) {
    const added = vector.getBigUint64(offset + at, true) + BigInt(sign) * stream.getBigUint64(streamAt + at, true);
    vector.setBigUint64(offset + at, BigInt.asUintN(64, added), true);
  }
}

/** Adds `sign × words` of `from` at stream position `start` to `into`, word by word as the slots say. */
function addRange(into: Uint8Array, from: Uint8Array, start: number, slots: readonly SegmentSlot[], sign: Sign): void {
  const vector = new DataView(into.buffer, into.byteOffset, into.length);
  const stream = new DataView(from.buffer, from.byteOffset, from.length);
  for (const slot of slots) {
    const first = Math.max(start, slot.offsetBytes);
    const end = Math.min(start + from.length, slot.offsetBytes + slot.sizeBytes);
    if (first >= end) continue;
    const add = slot.wordBits === 32 ? addWords32 : addWords64;
    add(vector, stream, first, end - first, first - start, sign);
  }
}

/** Adds (or takes away) one vector of words to another of the same plan, in place. */
export function addVector(into: Uint8Array, vector: Uint8Array, slots: readonly SegmentSlot[], sign: Sign = 1): void {
  addRange(into, vector, 0, slots, sign);
}

/** Adds (or takes away) the stream of `key` (32 bytes) to a vector, in place. */
export function addMask(into: Uint8Array, key: Uint8Array, slots: readonly SegmentSlot[], sign: Sign): void {
  const cipher = createCipheriv('aes-256-ctr', key, zeroCounter);
  const zeros = new Uint8Array(Math.min(blockSizeBytes, into.length));
  for (let start = 0; start < into.length; start += blockSizeBytes) {
    addRange(into, cipher.update(zeros.subarray(0, Math.min(blockSizeBytes, into.length - start))), start, slots, sign);
  }
}
