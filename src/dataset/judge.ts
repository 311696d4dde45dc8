/** What a single row is for a study: its class, its side of the split, and whether a value is one of those that the study names. */
import { hash } from 'node:crypto';
import { hashFields, u32, utf8 } from '../common/index.ts';
import type { FeatureTerms } from './child-messages.ts';
import type { Cell } from './column-numbers.ts';

type Terms = FeatureTerms;

/** Values that are looked up rather than compared anew; more than this many different ones are no classes. */
const rememberedValues = 4_096;

/** Whether a cell holds a value that a study names: as text, or as the number that a text is. */
export function isValue(cell: Cell, wanted: string | number | boolean): boolean {
  return typeof wanted === 'string' ? String(cell) === wanted : cell === wanted || (typeof cell === 'string' && cell.trim() !== '' && Number(cell) === wanted);
}

/** `find`, remembering what it found for the first values. */
function remembering<T>(find: (cell: Cell) => T): (cell: Cell) => T {
  const known = new Map<Cell, T>();
  return (cell) => {
    const before = known.get(cell);
    if (before !== undefined || known.has(cell)) return before as T;
    const found = find(cell);
    if (known.size < rememberedValues) known.set(cell, found);
    return found;
  };
}

/** Index of a value's class among the study's; -1 for any other value. */
export function classFinder({ label }: Terms): (cell: Cell) => number {
  return remembering((cell) => label.classes.findIndex((value) => isValue(cell, value)));
}

/** The share in which a row's key falls, from 0 up to 1: the first 32 bits of `hashFields('split', seed, key)`, computed in one piece. */
export function hashShare(seed: number): (key: string) => number {
  const label = utf8('split');
  const head = Buffer.concat([u32(label.length), label, u32(4), u32(seed)]);
  const scratch = Buffer.alloc(4_096);
  scratch.set(head);
  let lengthThere = -1;
  return (key) => {
    const room = scratch.length - head.length - 4;
    const length = 3 * key.length <= room ? scratch.write(key, head.length + 4, 'utf8') : -1;
    if (length < 0) return firstWord(hashFields('split', seed, key));
    if (length !== lengthThere) scratch.set(u32(length), head.length);
    lengthThere = length;
    return firstWord(hash('sha256', scratch.subarray(0, head.length + 4 + length), 'buffer'));
  };
}

function firstWord([a = 0, b = 0, c = 0, d = 0]: Uint8Array): number {
  return (a * 2 ** 24 + b * 2 ** 16 + c * 2 ** 8 + d) / 2 ** 32;
}

/** 0 for training, 1 for test, by the study's rule; undefined for a value that the rule does not name. */
export function sideFinder({ split: rule }: Terms): (cell: Cell) => 0 | 1 | undefined {
  if (rule.by === 'hash') {
    const share = hashShare(rule.seed);
    return (cell) => (share(String(cell)) < rule.testFraction ? 1 : 0);
  }
  return remembering((cell) => {
    if (rule.train.some((value) => isValue(cell, value))) return 0;
    return rule.test.some((value) => isValue(cell, value)) ? 1 : undefined;
  });
}
