/**
 * A member's words of a round before masking, sealed under a key that seals nothing else: AES-256 in counter mode (NIST SP 800-38A) from a zero counter,
 * then GMAC (SP 800-38D, zero nonce) over the file's name and the sealed words, each under a key of its own. The counter stream is drawn and added
 * here, because what Node's ciphers decrypt stays in memory that they free. The key lies with the round's secrets and is destroyed with them.
 */
import { createCipheriv } from 'node:crypto';
import { join } from 'node:path';
import { chunkSizeBytes, equalBytes, hashFields, ownMemory, utf8 } from '../../common/index.ts';
import type { RoundKey } from '../../wire/index.ts';
import { privateFolder, readIfThere, writeWhole } from './files.ts';

const zeroCounter = new Uint8Array(16);
const zeroNonce = new Uint8Array(12);
const tagSizeBytes = 16;
const zeros = new Uint8Array(chunkSizeBytes);

/** The name of a round's sealed words beside its sealed secrets. */
export function wordsName({ run, round }: RoundKey): string {
  return `${run}-${round}.words`;
}

/** A folder of sealed words, one file a round. */
export class WordStore {
  readonly #folder: string;

  constructor(home: string) {
    this.#folder = privateFolder(home, 'vault', 'sealed');
  }

  /** Seals and stores words durably, instead of those that were there. */
  put({ round, key }: { readonly round: RoundKey; readonly key: Uint8Array }, words: Uint8Array): void {
    const sealed = ownMemory(words.length + tagSizeBytes);
    sealed.set(words);
    addStream(key, sealed.subarray(0, -tagSizeBytes));
    sealed.set(tagOf(key, round, sealed.subarray(0, -tagSizeBytes)), words.length);
    writeWhole(join(this.#folder, wordsName(round)), sealed, 'the words of a round');
  }

  /** The words; undefined where there are none, or where they do not open. */
  get(place: { readonly round: RoundKey; readonly key: Uint8Array }): Uint8Array | undefined {
    return readWords(this.#folder, place);
  }
}

/** The words in a folder, their own or that of the records for an auditor; undefined where there are none, or where they do not open. */
export function readWords(folder: string, { round, key }: { readonly round: RoundKey; readonly key: Uint8Array }): Uint8Array | undefined {
  const sealed = readIfThere(join(folder, wordsName(round)));
  if (!sealed || sealed.length < tagSizeBytes) return undefined;
  const words = sealed.subarray(0, -tagSizeBytes);
  if (!equalBytes(tagOf(key, round, words), sealed.subarray(-tagSizeBytes))) return undefined;
  addStream(key, words);
  return words;
}

/** Adds the counter stream of the key to `bytes`, bit by bit: seals them and opens them. */
function addStream(key: Uint8Array, bytes: Uint8Array): void {
  const streamKey = hashFields('schwarm/words/1/stream', key);
  const cipher = createCipheriv('aes-256-ctr', streamKey, zeroCounter);
  for (let at = 0; at < bytes.length; at += chunkSizeBytes) {
    const piece = bytes.subarray(at, at + chunkSizeBytes);
    const stream = cipher.update(zeros.subarray(0, piece.length));
    addBits(piece, stream);
  }
  streamKey.fill(0);
}

/** Four bytes at a time as far as both lie so in memory. */
function addBits(into: Uint8Array, bits: Uint8Array): void {
  const whole = into.byteOffset % 4 === 0 && bits.byteOffset % 4 === 0 ? into.length >>> 2 : 0;
  const [target, source] = [into, bits].map(({ buffer, byteOffset }) => new Uint32Array(buffer, whole > 0 ? byteOffset : 0, whole));
  if (target && source) for (let word = 0; word < whole; word++) target[word] = (target[word] ?? 0) ^ (source[word] ?? 0);
  for (let byte = 4 * whole; byte < into.length; byte++) into[byte] = (into[byte] ?? 0) ^ (bits[byte] ?? 0);
}

function tagOf(key: Uint8Array, round: RoundKey, sealed: Uint8Array): Uint8Array {
  const tagKey = hashFields('schwarm/words/1/tag', key);
  const mac = createCipheriv('aes-256-gcm', tagKey, zeroNonce, { authTagLength: tagSizeBytes });
  for (const part of [utf8(`${wordsName(round)}\n`), sealed]) if (part.length > 0) mac.setAAD(part);
  mac.final();
  tagKey.fill(0);
  return mac.getAuthTag();
}
