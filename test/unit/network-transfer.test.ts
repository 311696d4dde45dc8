/** The fetch as a state machine: holders that lie, stall, lack or vanish, and what an earlier fetch has left. Time is a number here. */
import { describe, expect, it } from 'vitest';
import { chunkSizeBytes, isSwarmError, leavesOf, seededChance } from '../../src/common/index.ts';
import { chunksAhead, lateMs, slowestBytesPerS, stallMs } from '../../src/network/limits.ts';
import { listIndex, Transfer } from '../../src/network/transfer.ts';
import { freshContent, MemorySink } from '../support/network.ts';

type Fresh = ReturnType<typeof freshContent>;

const chunk = ({ bytes }: Fresh, index: number): Uint8Array => bytes.slice(index * chunkSizeBytes, (index + 1) * chunkSizeBytes);
const list = ({ bytes }: Fresh): Uint8Array => new Uint8Array(Buffer.concat(leavesOf(bytes)));
const answer = (content: Fresh, index: number): Uint8Array => (index === listIndex ? list(content) : chunk(content, index));
const range = (first: number, end: number): number[] => Array.from({ length: end - first }, (_, at) => first + at);

function begun(content: Fresh, missing = range(0, leavesOf(content.bytes).length), sink = new MemorySink(content.sizeBytes)) {
  return { content, sink, transfer: new Transfer(content, sink, missing) };
}

/** Everything that a holder may be asked for now. */
function asked(transfer: Transfer, holder: string, nowMs = 0): number[] {
  const indexes: number[] = [];
  for (let index = transfer.next(holder, nowMs); index !== undefined; index = transfer.next(holder, nowMs)) indexes.push(index);
  return indexes;
}

/** Gives a holder's right answers until nothing more is asked of it. */
function serve({ content, transfer }: ReturnType<typeof begun>, holder: string, owed: readonly number[], nowMs = 0): void {
  for (let queue = [...owed, ...asked(transfer, holder, nowMs)]; queue.length > 0; queue = asked(transfer, holder, nowMs)) {
    for (const index of queue) transfer.take(holder, nowMs, index, answer(content, index));
  }
}

const codeOf = (work: () => unknown): string => {
  try {
    return String(work());
  } catch (error) {
    return isSwarmError(error) ? error.code : String(error);
  }
};

describe('a transfer', () => {
  it('asks for the list alone, then for chunks in order, more ahead the faster they come', () => {
    const of = begun(freshContent(200));
    of.transfer.add('a');
    expect(asked(of.transfer, 'a')).toEqual([listIndex]);
    of.transfer.take('a', 0, listIndex, list(of.content));
    const first = asked(of.transfer, 'a');
    expect(first).toEqual(range(0, first.length));
    serve(of, 'a', first);
    expect(of.transfer.done).toBe(true);
    expect(of.sink.written).toEqual(range(0, 201));
    expect(Buffer.compare(of.sink.bytes, of.content.bytes)).toBe(0);
  });

  it('never lets a holder owe more than the bound, and fewer where it is slow', () => {
    const of = begun(freshContent(400));
    of.transfer.add('a');
    serve({ ...of, content: of.content }, 'a', []);
    const slow = begun(freshContent(400));
    slow.transfer.add('a');
    let owed: number[] = asked(slow.transfer, 'a');
    for (let nowMs = 0; nowMs < 60_000 && !slow.transfer.done; nowMs += 400) {
      const [next, ...rest] = owed;
      if (next !== undefined) slow.transfer.take('a', nowMs, next, answer(slow.content, next));
      owed = [...rest, ...asked(slow.transfer, 'a', nowMs)];
      expect(owed.length).toBeLessThanOrEqual(chunksAhead.fewest + 2);
    }
  });

  it('asks for a range alone', () => {
    const of = begun(freshContent(20), [7, 8, 9]);
    of.transfer.add('a');
    serve(of, 'a', []);
    expect(of.transfer.done).toBe(true);
    expect(of.sink.written).toEqual([7, 8, 9]);
  });

  it('goes on from what an earlier fetch has left, without asking for the list again', () => {
    const content = freshContent(20);
    const sink = new MemorySink(content.sizeBytes);
    sink.begin(list(content));
    const of = begun(content, [3, 20], sink);
    of.transfer.add('a');
    expect(asked(of.transfer, 'a')).toEqual([3, 20]);
    serve(of, 'a', [3, 20]);
    expect(of.transfer.done).toBe(true);
  });

  it('gives what a holder owed when it vanished to the next, and asks for nothing twice that has come', () => {
    const of = begun(freshContent(50));
    of.transfer.add('a');
    of.transfer.take('a', 0, asked(of.transfer, 'a')[0] ?? 0, list(of.content));
    const owed = asked(of.transfer, 'a');
    for (const index of owed.slice(0, 2)) of.transfer.take('a', 0, index, chunk(of.content, index));
    of.transfer.drop('a');
    of.transfer.add('b');
    serve(of, 'b', []);
    expect(of.transfer.done).toBe(true);
    expect([...of.sink.written].sort((x, y) => x - y)).toEqual(range(0, 51));
  });

  it.for([
    ['a wrong list', listIndex, (right: Uint8Array) => right.with(40, (right[40] ?? 0) ^ 1)],
    ['a list that is too long', listIndex, (right: Uint8Array) => new Uint8Array([...right, ...right.subarray(0, 32)])],
    ['a list that is cut', listIndex, (right: Uint8Array) => right.subarray(0, 64)],
    ['a wrong chunk', 1, (right: Uint8Array) => right.with(17, (right[17] ?? 0) ^ 1)],
    ['a chunk of another size', 1, (right: Uint8Array) => right.subarray(1)],
  ] as const)('refuses %s, writes nothing of it, and asks the next holder for it', ([, which, forge]) => {
    const of = begun(freshContent(5));
    of.transfer.add('liar');
    const owed = asked(of.transfer, 'liar');
    if (which !== listIndex) {
      of.transfer.take('liar', 0, listIndex, list(of.content));
      owed.push(...asked(of.transfer, 'liar'));
    }
    expect(codeOf(() => of.transfer.take('liar', 0, which, forge(answer(of.content, which))))).toBe('NETWORK_BAD_CHUNK');
    expect(of.sink.written).toEqual([]);
    of.transfer.drop('liar');
    of.transfer.add('b');
    serve(of, 'b', []);
    expect(of.transfer.done).toBe(true);
    expect(Buffer.compare(of.sink.bytes, of.content.bytes)).toBe(0);
  });

  it('refuses what it did not ask for: another index, a chunk a second time, anything of a holder that was dropped', () => {
    const of = begun(freshContent(300));
    of.transfer.add('a');
    asked(of.transfer, 'a');
    expect(codeOf(() => of.transfer.take('a', 0, 3, chunk(of.content, 3)))).toBe('NETWORK_BAD_CHUNK');
    of.transfer.take('a', 0, listIndex, list(of.content));
    const [first = 0] = asked(of.transfer, 'a');
    of.transfer.take('a', 0, first, chunk(of.content, first));
    expect(codeOf(() => of.transfer.take('a', 0, first, chunk(of.content, first)))).toBe('NETWORK_BAD_CHUNK');
    expect(codeOf(() => of.transfer.take('a', 0, 299, chunk(of.content, 299)))).toBe('NETWORK_BAD_CHUNK');
    of.transfer.drop('a');
    expect(codeOf(() => of.transfer.take('a', 0, 1, chunk(of.content, 1)))).toBe('NETWORK_BAD_CHUNK');
  });

  it('asks nobody twice for what it said that it lacks, and is idle where nobody at hand has the rest', () => {
    const of = begun(freshContent(3));
    of.transfer.add('part');
    of.transfer.take('part', 0, asked(of.transfer, 'part')[0] ?? 0, list(of.content));
    for (const index of asked(of.transfer, 'part')) {
      const outcome = of.transfer.take('part', 0, index, index === 2 ? new Uint8Array(0) : chunk(of.content, index));
      expect(outcome).toBe(index === 2 ? 'lacks' : 'taken');
    }
    expect([of.transfer.done, of.transfer.idle, asked(of.transfer, 'part')]).toEqual([false, true, []]);
    of.transfer.add('b');
    expect(asked(of.transfer, 'b')).toEqual([2]);
  });

  it('asks another for what one holder owes too long, once, and takes whichever comes first', () => {
    const of = begun(freshContent(1));
    for (const holder of ['slow', 'b', 'c']) of.transfer.add(holder);
    of.transfer.take('slow', 0, asked(of.transfer, 'slow')[0] ?? 0, list(of.content));
    expect(asked(of.transfer, 'slow')).toEqual([0, 1]);
    expect(asked(of.transfer, 'b', lateMs)).toEqual([]);
    expect(asked(of.transfer, 'b', lateMs + 1)).toEqual([0, 1]);
    expect(asked(of.transfer, 'c', lateMs + 1)).toEqual([]);
    for (const index of [0, 1]) of.transfer.take('b', lateMs + 2, index, chunk(of.content, index));
    expect(of.transfer.done).toBe(true);
    expect(of.transfer.take('slow', lateMs + 3, 0, chunk(of.content, 0)), 'the late one is no lie').toBe('taken');
    expect(of.sink.written).toEqual([0, 1]);
  });

  it('finds a holder slow that gives less than the floor while it owes something, and no other', () => {
    const of = begun(freshContent(100));
    for (const holder of ['silent', 'drip', 'idle']) of.transfer.add(holder);
    of.transfer.take('drip', 0, asked(of.transfer, 'drip')[0] ?? 0, list(of.content));
    const owed = asked(of.transfer, 'drip');
    asked(of.transfer, 'silent');
    const needed = Math.ceil((slowestBytesPerS * stallMs) / 1000 / chunkSizeBytes);
    for (const index of owed.slice(0, needed)) of.transfer.take('drip', 1_000, index, chunk(of.content, index));
    expect(of.transfer.isSlow('silent', stallMs - 1)).toBe(false);
    expect(['silent', 'drip', 'idle'].map((holder) => of.transfer.isSlow(holder, stallMs))).toEqual([true, false, false]);
    expect(of.transfer.isSlow('drip', 2 * stallMs), 'the next stretch counts for itself').toBe(true);
  });

  it('ends with the right bytes whatever three holders do, in any order', () => {
    for (let seed = 0; seed < 200; seed++) {
      const chance = seededChance('transfer', seed);
      const of = begun(freshContent(1 + chance.below(40)));
      const owes = new Map<string, number[]>(['a', 'b', 'honest'].map((holder) => [holder, []]));
      for (const holder of owes.keys()) of.transfer.add(holder);
      let nowMs = 0;
      for (let turn = 0; turn < 5_000 && !of.transfer.done; turn++) {
        nowMs += chance.below(600);
        const holder = [...owes.keys()][chance.below(owes.size)] ?? 'honest';
        const owed = owes.get(holder) ?? [];
        owed.push(...asked(of.transfer, holder, nowMs));
        const [index] = owed.splice(chance.below(owed.length || 1), 1);
        if (index === undefined) continue;
        const right = answer(of.content, index);
        const lie = holder !== 'honest' && chance.below(10) === 0;
        const body = lie ? (chance.below(2) ? new Uint8Array(0) : right.with(0, (right[0] ?? 0) ^ 1)) : right;
        const gone = holder !== 'honest' && chance.below(60) === 0;
        if (gone || codeOf(() => of.transfer.take(holder, nowMs, index, body)) === 'NETWORK_BAD_CHUNK') {
          of.transfer.drop(holder);
          owes.delete(holder);
        }
      }
      expect(of.transfer.done, `seed ${seed}`).toBe(true);
      expect(Buffer.compare(of.sink.bytes, of.content.bytes), `seed ${seed}`).toBe(0);
      expect(new Set(of.sink.written).size, 'nothing is written twice').toBe(of.sink.written.length);
    }
  });
});
