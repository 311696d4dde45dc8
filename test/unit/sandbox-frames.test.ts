import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concat, u32 } from '../../src/common/index.ts';
import { FrameReader, frameHead } from '../../src/sandbox/frames.ts';
import { maxBodyBytes, maxHeaderBytes } from '../../src/sandbox/limits.ts';

describe('frames', () => {
  it('come out as they went in, however the stream is cut', () => {
    const messages = fc.array(fc.record({ header: fc.jsonValue(), body: fc.uint8Array({ maxLength: 50 }) }), { maxLength: 5 });
    fc.assert(
      fc.property(messages, fc.integer({ min: 1, max: 30 }), (sent, cut) => {
        const stream = concat(...sent.flatMap(({ header, body }) => [frameHead(header, body.length) ?? new Uint8Array(0), body]));
        const reader = new FrameReader();
        const got: { header: unknown; body: number[] }[] = [];
        for (let at = 0; at < stream.length; at += cut) {
          const { frames, fault } = reader.push(stream.subarray(at, at + cut));
          expect(fault).toBeUndefined();
          for (const frame of frames) {
            expect(frame.body.byteOffset % 8).toBe(0);
            got.push({ header: frame.header, body: [...frame.body] });
          }
        }
        expect(got).toEqual(sent.map(({ header, body }) => ({ header: JSON.parse(JSON.stringify(header)), body: [...body] })));
      }),
    );
  });

  it.each([
    ['a header over its bound', concat(u32(maxHeaderBytes + 1), u32(0))],
    ['a body over its bound', concat(u32(2), u32(maxBodyBytes + 1))],
    ['an empty header', concat(u32(0), u32(0))],
    ['a header that is not JSON', concat(u32(1), u32(0), new Uint8Array([0xff]))],
  ])('%s is a fault', (_what, bytes) => {
    expect(new FrameReader().push(bytes).fault).toBeTypeOf('string');
  });

  it('refuses to make a head for too much', () => {
    expect(frameHead({}, maxBodyBytes + 1)).toBeUndefined();
    expect(frameHead('x'.repeat(maxHeaderBytes), 0)).toBeUndefined();
  });
});
