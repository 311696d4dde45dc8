/** The pure parts of the embedded ledger: records on disk, ledger time, tokens. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Clock } from '../../src/common/index.ts';
import { readRecord, writeRecord } from '../../src/ledger/embedded/records.ts';
import { LedgerTime } from '../../src/ledger/embedded/time.ts';
import { checkTokens, freshToken, tokenChecker } from '../../src/ledger/embedded/tokens.ts';

const record = fc.record({
  number: fc.nat(),
  timeS: fc.nat(),
  hash: fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => `0x${Buffer.from(bytes).toString('hex')}`),
  raw: fc.option(
    fc.uint8Array({ minLength: 1, maxLength: 200 }).map((bytes) => `0x${Buffer.from(bytes).toString('hex')}`),
    { nil: undefined },
  ),
});

describe('a stored block', () => {
  it('comes back as it was written', () => {
    fc.assert(
      fc.property(record, (block) => {
        expect(readRecord(writeRecord(block).slice(0, -1))).toEqual(block);
      }),
    );
  });

  it('is not taken when any part of it is cut off or changed', () => {
    fc.assert(
      fc.property(record, fc.nat(), fc.integer({ min: 1, max: 255 }), (block, place, flip) => {
        const line = writeRecord(block).slice(0, -1);
        const at = place % line.length;
        expect(readRecord(line.slice(0, at))).toBeUndefined();
        expect(readRecord(`${line.slice(0, at)}${String.fromCharCode(line.charCodeAt(at) ^ flip)}${line.slice(at + 1)}`)).toBeUndefined();
      }),
    );
  });
});

class SetClock implements Clock {
  now = 5_000;
  calendar = 1_000_000_000;
  nowMs = () => this.now;
  calendarMs = () => this.calendar;
  sleep = () => Promise.resolve();
  timeout = () => new AbortController().signal;
  pass(ms: number): void {
    this.now += ms;
    this.calendar += ms;
  }
}

describe('ledger time', () => {
  it('is the wall clock’s while nothing runs, and never runs back', () => {
    const clock = new SetClock();
    const time = new LedgerTime(clock, 900_000);
    expect(time.next(false)).toBe(1_000_000);
    clock.pass(3_600_000);
    expect(time.next(false)).toBe(1_003_600);
    clock.calendar -= 100_000;
    expect(time.next(false)).toBe(1_003_600);
  });

  it('follows the clock while a run is live, but leaps by two seconds at most', () => {
    const clock = new SetClock();
    const time = new LedgerTime(clock, 1_000_000);
    const seen = [700, 700, 700, 90_000, 1_000, 500].map((ms) => {
      clock.pass(ms);
      return time.next(true);
    });
    expect(seen).toEqual([1_000_000, 1_000_001, 1_000_002, 1_000_004, 1_000_005, 1_000_005]);
  });

  it('after a restart in a live run goes on where the last block was', () => {
    const clock = new SetClock();
    clock.calendar += 86_400_000;
    expect(new LedgerTime(clock, 1_000_000).next(true)).toBe(1_000_000);
  });
});

describe('tokens', () => {
  it('name their holder, and nobody else', () => {
    const [a, b] = [freshToken('a'), freshToken('b')];
    const holderOf = tokenChecker([a, b]);
    expect(holderOf(`Bearer ${a.token}`)).toBe('a');
    expect(holderOf(`Bearer ${b.token}`)).toBe('b');
    for (const wrong of [undefined, '', 'Bearer ', `Basic ${a.token}`, a.token, `Bearer ${a.token} `, `bearer ${a.token}`])
      expect(holderOf(wrong)).toBeUndefined();
  });

  it('are long, different and named', () => {
    const good = freshToken('a');
    expect(checkTokens([good])).toEqual([good]);
    for (const bad of [[], [good, { ...good, name: 'b' }], [{ name: 'a', token: 'short' }], [{ name: '', token: good.token }], 'x', [{ ...good, more: 1 }]]) {
      expect(() => checkTokens(bad)).toThrow(expect.objectContaining({ code: 'LEDGER_BAD_TOKENS' }));
    }
  });
});
