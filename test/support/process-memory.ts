/** Looking for bytes in another process, as its administrator can: every readable page, through the operating system. */
import { closeSync, openSync, readFileSync, readSync } from 'node:fs';

const pieceSizeBytes = 16 * 2 ** 20;

/** Something to look for, under a name for messages. At least 8 bytes. */
export interface Needle {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** A secret as raw bytes, as hexadecimal digits and as base64. */
export function inEveryForm(name: string, bytes: Uint8Array): readonly Needle[] {
  const buffer = Buffer.from(bytes);
  return [
    { name, bytes },
    { name: `${name} in hexadecimal`, bytes: Buffer.from(buffer.toString('hex')) },
    { name: `${name} in base64`, bytes: Buffer.from(buffer.toString('base64').replace(/=+$/, '').slice(0, -1)) },
  ];
}

/** Names of the needles that are in `hay`, each once, added to `found`. */
export function searchBytes(hay: Uint8Array, needles: readonly Needle[], found: Set<string>): void {
  const byPrefix = new Map<number, Needle[]>();
  const prefixOf = (bytes: Uint8Array, at: number): number =>
    ((bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24)) >>> 0;
  const seen = new Uint8Array(65_536);
  for (const needle of needles) {
    const prefix = prefixOf(needle.bytes, 0);
    byPrefix.set(prefix, [...(byPrefix.get(prefix) ?? []), needle]);
    seen[prefix & 0xffff] = 1;
  }
  for (let at = 0; at + 8 <= hay.length; at++) {
    if (seen[(hay[at] ?? 0) | ((hay[at + 1] ?? 0) << 8)] === 0) continue;
    for (const { name, bytes } of byPrefix.get(prefixOf(hay, at)) ?? []) {
      if (at + bytes.length <= hay.length && Buffer.compare(hay.subarray(at, at + bytes.length), bytes) === 0) found.add(name);
    }
  }
}

/** Names of the needles that a process holds anywhere in its writable memory. */
export function searchProcess(pid: number, needles: readonly Needle[]): readonly string[] {
  const found = new Set<string>();
  const overlap = Math.max(...needles.map(({ bytes }) => bytes.length));
  const memory = openSync(`/proc/${pid}/mem`, 'r');
  try {
    for (const line of readFileSync(`/proc/${pid}/maps`, 'utf8').split('\n')) {
      const [, from, to, rights] = /^([0-9a-f]+)-([0-9a-f]+) (....)/.exec(line) ?? [];
      if (from === undefined || to === undefined || !rights?.startsWith('rw')) continue;
      searchRegion(memory, BigInt(`0x${from}`), BigInt(`0x${to}`), needles, { overlap, found });
    }
  } finally {
    closeSync(memory);
  }
  return [...found].sort();
}

function searchRegion(
  memory: number,
  from: bigint,
  to: bigint,
  needles: readonly Needle[],
  { overlap, found }: { readonly overlap: number; readonly found: Set<string> },
): void {
  const piece = Buffer.alloc(pieceSizeBytes + overlap);
  for (let at = from; at < to; at += BigInt(pieceSizeBytes)) {
    const size = Number(to - at < BigInt(piece.length) ? to - at : BigInt(piece.length));
    try {
      const read = readSync(memory, piece, 0, size, at as never);
      searchBytes(piece.subarray(0, read), needles, found);
    } catch {
      return;
    }
  }
}
