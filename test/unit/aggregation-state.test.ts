/** The canonical bytes of a round state: their layout by hand, what is refused, and what is a view of the bytes and what is not. */
import { describe, expect, it } from 'vitest';
import { type RoundState, stateBytes, stateFromBytes, stateSizeBytes, stateSizeOf, stateStartSizeBytes, stateView } from '../../src/aggregation/index.ts';
import { codeOf } from '../support/codes.ts';

const parameters = Float32Array.of(1, -0.5, 3.25);
const standardisation = { rows: 920, mean: Float64Array.of(53.5, 132.25), sd: Float64Array.of(9.5, 19) };
const bare: RoundState = { ordinal: 3, parameters };
const full: RoundState = { ordinal: 4, parameters, standardisation };
const moved: RoundState = { ...full, last: Uint8Array.from({ length: 12 }, (_, at) => at) };

/** The same bytes, `offset` bytes into a buffer. */
function displaced(bytes: Uint8Array, offset: number): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(offset + bytes.length + 8);
  whole.set(bytes, offset);
  return whole.subarray(offset, offset + bytes.length);
}

describe('the bytes of a state', () => {
  it('are a mark, three counts, statistics where there are some, parameters, and the last update where there is one', () => {
    const bytes = stateBytes(moved);
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    expect(Buffer.from(bytes.subarray(0, 16)).toString()).toBe('schwarm/state/1\n');
    expect([16, 20, 24, 28].map((at) => view.getUint32(at, true))).toEqual([4, 3, 2, 920]);
    expect([32, 40, 48, 56].map((at) => view.getFloat64(at, true))).toEqual([53.5, 132.25, 9.5, 19]);
    expect([64, 68, 72].map((at) => view.getFloat32(at, true))).toEqual([1, -0.5, 3.25]);
    expect([...bytes.subarray(76)]).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
  });

  it('tell their whole size by their beginning, with the last update or without it', () => {
    for (const state of [bare, full]) {
      const bytes = stateBytes(state);
      expect(stateSizeOf(bytes.subarray(0, stateStartSizeBytes))).toBe(bytes.length);
      expect(stateSizeOf(bytes.subarray(0, stateStartSizeBytes), { withLast: true })).toBe(bytes.length + 12);
    }
    expect(stateSizeBytes(3, 2, { withLast: true })).toBe(stateBytes(moved).length);
  });

  it('are refused where the mark is another one, or where less is there than the counts', () => {
    const start = stateBytes(bare).subarray(0, stateStartSizeBytes);
    for (let at = 0; at < 16; at++) {
      const other = start.map((byte, index) => (index === at ? byte ^ 1 : byte));
      expect(codeOf(() => stateSizeOf(other))).toBe('AGGREGATION_BAD_STATE');
    }
    for (let size = 0; size < stateStartSizeBytes; size++) expect(codeOf(() => stateSizeOf(start.subarray(0, size)))).toBe('AGGREGATION_BAD_STATE');
  });

  it('are refused as a whole where a byte is missing or one too many', () => {
    for (const state of [bare, full, moved]) {
      const bytes = stateBytes(state);
      expect(codeOf(() => stateFromBytes(bytes.subarray(0, -1)))).toBe('AGGREGATION_BAD_STATE');
      expect(codeOf(() => stateFromBytes(new Uint8Array([...bytes, 0])))).toBe('AGGREGATION_BAD_STATE');
    }
  });
});

describe('a state that is read', () => {
  it.each([0, 1, 2, 3, 4, 5, 7])('is the same %i bytes into a buffer', (offset) => {
    for (const state of [bare, full, moved]) {
      expect(stateView(displaced(stateBytes(state), offset))).toEqual(state);
      expect(stateFromBytes(displaced(stateBytes(state), offset))).toEqual(state);
    }
  });

  it('is a view of aligned bytes, so that a model is not held twice', () => {
    for (const state of [bare, full, moved]) {
      const bytes = displaced(stateBytes(state), 4);
      expect(stateView(bytes).parameters.buffer).toBe(bytes.buffer);
    }
  });

  it('has memory of its own where it was asked for: parameters and last update outlive the bytes', () => {
    const bytes = displaced(stateBytes(moved), 0);
    const state = stateFromBytes(bytes);
    bytes.fill(0xff);
    expect(state).toEqual(moved);
  });
});
