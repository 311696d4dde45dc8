/**
 * The Merkle tree over chunks by which every bulk transfer is checked. Leaves and inner nodes hash under different
 * labels, and an odd node is carried up unchanged, as in RFC 9162 section 2.1, so no chunk can pass for a node.
 */
import { concat, equalBytes } from './bytes.ts';
import { sha256 } from './hash.ts';

/** Bytes of one chunk: 16,384 words of 32 bits. The last chunk may be shorter. */
export const chunkSizeBytes = 65_536;

const leafLabel = new Uint8Array([0]);
const nodeLabel = new Uint8Array([1]);

/** The hash of a chunk as a leaf. */
export function leafHash(chunk: Uint8Array): Uint8Array {
  return sha256(leafLabel, chunk);
}

/** How many chunks `sizeBytes` bytes make; an empty vector has one empty chunk. */
export function chunkCount(sizeBytes: number): number {
  return Math.max(1, Math.ceil(sizeBytes / chunkSizeBytes));
}

/** The leaf hashes of `bytes`, cut into chunks of 64 KiB. */
export function leavesOf(bytes: Uint8Array): Uint8Array[] {
  return Array.from({ length: chunkCount(bytes.length) }, (_, at) => leafHash(bytes.subarray(at * chunkSizeBytes, (at + 1) * chunkSizeBytes)));
}

function levelAbove(level: readonly Uint8Array[]): Uint8Array[] {
  const above: Uint8Array[] = [];
  for (let at = 0; at < level.length; at += 2) {
    const left = level[at] ?? new Uint8Array(32);
    const right = level[at + 1];
    above.push(right === undefined ? left : sha256(nodeLabel, left, right));
  }
  return above;
}

/** The root over leaf hashes; one leaf is its own root. */
export function merkleRoot(leaves: readonly Uint8Array[]): Uint8Array {
  let level: readonly Uint8Array[] = leaves;
  while (level.length > 1) level = levelAbove(level);
  return level[0] ?? leafHash(new Uint8Array(0));
}

/** For each leaf the siblings from it up to the root, lowest first, 32 bytes each; a level without a sibling adds none. The tree is hashed once. */
export function merklePaths(leaves: readonly Uint8Array[]): Uint8Array[] {
  const levels: (readonly Uint8Array[])[] = [leaves];
  for (let level = leaves; level.length > 1; levels.push(level)) level = levelAbove(level);
  return leaves.map((_, index) => concat(...levels.flatMap((level, height) => level[(index >> height) ^ 1] ?? [])));
}

/** True where `leaf` stands at `index` among `count` leaves under `root`, by its path of siblings. */
export function merkleVerify(root: Uint8Array, leaf: Uint8Array, index: number, count: number, path: readonly Uint8Array[]): boolean {
  if (index < 0 || index >= count) return false;
  let hash = leaf;
  let at = index;
  let width = count;
  let used = 0;
  while (width > 1) {
    if ((at ^ 1) < width) {
      const sibling = path[used++];
      if (sibling === undefined || sibling.length !== 32) return false;
      hash = at % 2 === 0 ? sha256(nodeLabel, hash, sibling) : sha256(nodeLabel, sibling, hash);
    }
    at >>= 1;
    width = Math.ceil(width / 2);
  }
  return used === path.length && equalBytes(hash, root);
}

/** The siblings out of their packed form; undefined where the length is not a multiple of 32. */
export function unpackPath(packed: Uint8Array): Uint8Array[] | undefined {
  if (packed.length % 32 !== 0) return undefined;
  return Array.from({ length: packed.length / 32 }, (_, at) => packed.subarray(32 * at, 32 * at + 32));
}
