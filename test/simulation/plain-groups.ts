/** What groups must give, worked out in plain integers and without a line of the product: the partition of a set, the sums of its leaves, the merges above. */

/** Members that sum among themselves, or what is merged of several. */
export type PlainTree = readonly number[] | { readonly below: readonly PlainTree[] };

/** Where words of one kind stand in a vector: 64-bit ones are of the header, 32-bit ones of the update. `most` is what one member may say. */
export interface PlainSlot {
  readonly offsetBytes: number;
  readonly length: number;
  readonly wordBits: number;
  readonly most: number;
}

/** A sum and how many members are in it. */
export interface PlainPart {
  readonly members: number;
  readonly bytes: Uint8Array;
}

/** All leaves from left to right. */
export function plainLeaves(tree: PlainTree): readonly (readonly number[])[] {
  return 'below' in tree ? tree.below.flatMap(plainLeaves) : [tree];
}

/** The tree of a set. Too few members of a leaf go on to the next one, at the end back to the last that stands; nodes with one child are that child. */
export function plainCut(tree: PlainTree, set: readonly number[]): PlainTree {
  let carried: readonly number[] = [];
  const leaves = plainLeaves(tree).map((leaf) => {
    const all = [...carried, ...leaf.filter((member) => set.includes(member))];
    carried = all.length < 3 ? all : [];
    return all.length < 3 ? [] : all;
  });
  const last = leaves.findLastIndex((leaf) => leaf.length > 0);
  const kept = leaves.map((leaf, at) => (at === last ? [...leaf, ...carried] : leaf).sort((a, b) => a - b));
  return withLeaves(tree, kept) ?? [];
}

function withLeaves(tree: PlainTree, leaves: (readonly number[])[]): PlainTree | undefined {
  if (!('below' in tree)) {
    const leaf = leaves.shift() ?? [];
    return leaf.length > 0 ? leaf : undefined;
  }
  const below = tree.below.flatMap((one): PlainTree[] => {
    const kept = withLeaves(one, leaves);
    return kept ? [kept] : [];
  });
  return below.length > 1 ? { below } : below[0];
}

/** Word by word, modulo the word size. */
export function plainSum(slots: readonly PlainSlot[], vectors: readonly Uint8Array[]): Uint8Array {
  const sum = new Uint8Array(vectors[0]?.length ?? 0);
  for (const { offsetBytes, length, wordBits } of slots) for (let at = 0; at < length; at++) addWord(sum, offsetBytes + (at * wordBits) / 8, wordBits, vectors);
  return sum;
}

function addWord(into: Uint8Array, offset: number, bits: number, vectors: readonly Uint8Array[]): void {
  let total = 0n;
  for (const vector of vectors) for (let byte = 0; byte < bits / 8; byte++) total += BigInt(vector[offset + byte] ?? 0) << BigInt(8 * byte);
  for (let byte = 0; byte < bits / 8; byte++) into[offset + byte] = Number((total >> BigInt(8 * byte)) & 0xffn);
}

/** From the leaves up: sums of members, then `merge` of what the children give. */
export function plainMerge(tree: PlainTree, sumOf: (leaf: readonly number[]) => Uint8Array, merge: (parts: readonly PlainPart[]) => Uint8Array): PlainPart {
  if (!('below' in tree)) return { members: tree.length, bytes: sumOf(tree) };
  const parts = tree.below.map((one) => plainMerge(one, sumOf, merge));
  return { members: parts.reduce((sum, part) => sum + part.members, 0), bytes: merge(parts) };
}

/** The median with f = 1: of updates at weight one the lower middle word, weighed with all rows; header words are summed, each cut to what its members may say. */
export function plainMedian(slots: readonly PlainSlot[], weightCap: number, parts: readonly PlainPart[]): Uint8Array {
  const merged = Buffer.alloc(parts[0]?.bytes.length ?? 0);
  for (const slot of slots.filter(({ wordBits }) => wordBits === 64)) {
    const total = parts.reduce((sum, part) => sum + headerOf(part, slot), 0n);
    merged.writeBigInt64LE(total, slot.offsetBytes);
  }
  const rows = parts.map((part) => (slots[0] ? Number(headerOf(part, slots[0])) : 0));
  const weight = rows.reduce((sum, one) => sum + one, 0) / weightCap;
  for (const { offsetBytes, length, most } of slots.filter(({ wordBits }) => wordBits === 32))
    for (let at = offsetBytes; at < offsetBytes + 4 * length; at += 4) {
      const level = parts.map(({ bytes }, part) => levelOf(Buffer.from(bytes).readInt32LE(at), rows[part] ?? 0, weightCap, most));
      const middle = level.sort((a, b) => a - b)[Math.floor((level.length - 1) / 2)] ?? 0;
      merged.writeInt32LE(Math.floor(middle * weight + 0.5), at);
    }
  return merged;
}

function levelOf(word: number, rows: number, weightCap: number, most: number): number {
  return Math.min(most, Math.max(-most, Math.floor(word * (rows > 0 ? weightCap / rows : 0) + 0.5)));
}

function headerOf({ members, bytes }: PlainPart, { offsetBytes, most }: PlainSlot): bigint {
  const word = Buffer.from(bytes).readBigInt64LE(offsetBytes);
  const limit = BigInt(most) * BigInt(members);
  return word < 0n ? 0n : word > limit ? limit : word;
}
