/**
 * Masks: key streams added to words modulo 2^32 or 2^64, a chunk at a time under all keys, so that vectors may be read and written in pieces.
 * The whole stream of a key serves one vector only.
 */
import { chunkSizeBytes } from '../../common/index.ts';
import { kernels } from '../kernels/fastest.ts';
import type { Sign, Summand } from '../kernels/kernels.ts';
import type { SegmentSlot } from '../plan.ts';
import { KeyStream } from './stream.ts';

/** The key of one mask (32 bytes), and whether the mask is added or taken away. */
export interface MaskStream {
  readonly key: Uint8Array;
  readonly sign: Sign;
}

/** Adds pieces of vectors, each of which stands at byte `start` of its own, to the same piece of another one, word by word as the slots say. */
export function addPieces(into: Uint8Array, summands: Iterable<Summand>, start: number, slots: readonly SegmentSlot[]): void {
  const parts = slots.flatMap(({ offsetBytes, sizeBytes, wordBits }) => {
    const [from, to] = [Math.max(0, offsetBytes - start), Math.min(into.length, offsetBytes + sizeBytes - start)];
    return from < to ? [{ from, to, wordBits }] : [];
  });
  const [only] = parts;
  if (only?.from === 0 && only.to === into.length) return kernels.add(into, summands, only.wordBits);
  for (const { words, sign } of summands)
    for (const { from, to, wordBits } of parts) kernels.add(into.subarray(from, to), [{ words: words.subarray(from, to), sign }], wordBits);
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
    addPieces(piece, this.#drawn(piece.length), this.#at, this.#slots);
    this.#at += piece.length;
  }

  /** One mask after the other: each is made in a cache and added before the next. */
  *#drawn(sizeBytes: number): Generator<Summand> {
    for (const { stream, sign } of this.#streams) yield { words: stream.next(sizeBytes), sign };
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
