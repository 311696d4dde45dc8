/**
 * Masks: key streams added to words modulo 2^32 or 2^64, a chunk at a time under all keys, so that vectors may be read and written in pieces.
 * The whole stream of a key serves one vector only.
 */
import { chunkSizeBytes } from '../../common/index.ts';
import { kernels } from '../kernels/fastest.ts';
import type { Sign } from '../kernels/kernels.ts';
import type { SegmentSlot } from '../plan.ts';
import { KeyStream } from './stream.ts';

/** The key of one mask (32 bytes), and whether the mask is added or taken away. */
export interface MaskStream {
  readonly key: Uint8Array;
  readonly sign: Sign;
}

/** Adds `sign × words`, a piece that stands at byte `start` of its vector, to the same piece of another vector, word by word as the slots say. */
export function addPiece(into: Uint8Array, words: Uint8Array, start: number, slots: readonly SegmentSlot[], sign: Sign = 1): void {
  for (const slot of slots) {
    const from = Math.max(0, slot.offsetBytes - start);
    const to = Math.min(words.length, slot.offsetBytes + slot.sizeBytes - start);
    if (from < to) kernels.add(into.subarray(from, to), words.subarray(from, to), slot.wordBits, sign);
  }
}

/** Masks for one vector, piece after piece from its beginning. */
export class Masks {
  readonly #streams: readonly { readonly stream: KeyStream; readonly sign: Sign }[];
  readonly #slots: readonly SegmentSlot[];
  #at = 0;

  constructor(streams: readonly MaskStream[], slots: readonly SegmentSlot[]) {
    this.#streams = streams.map(({ key, sign }) => ({ stream: new KeyStream(key), sign }));
    this.#slots = slots;
  }

  /** Masks the next piece in place: at most a chunk, whole words. */
  next(piece: Uint8Array): void {
    for (const { stream, sign } of this.#streams) addPiece(piece, stream.next(piece.length), this.#at, this.#slots, sign);
    this.#at += piece.length;
  }

  /** Frees the keys; nothing is masked after it. */
  end(): void {
    for (const { stream } of this.#streams) stream.end();
  }
}

/** Masks a whole vector in place. */
export function addMasks(into: Uint8Array, streams: readonly MaskStream[], slots: readonly SegmentSlot[]): void {
  const masks = new Masks(streams, slots);
  for (let at = 0; at < into.length; at += chunkSizeBytes) masks.next(into.subarray(at, at + chunkSizeBytes));
  masks.end();
}
