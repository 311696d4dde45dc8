/** The limits as proto/README.md and the protocol's threat model name them, in numbers: a changed constant must not pass. */
import { expect, test } from 'vitest';
import { isSwarmError } from '../../src/common/index.ts';
import { decodeHello, decodeMessage, protocolVersions } from '../../src/wire/index.ts';

function codeOf(work: () => unknown): string {
  try {
    work();
    return 'accepted';
  } catch (error) {
    return isSwarmError(error) ? error.code : 'another error';
  }
}

test.for([
  ['a control message', (bytes: Uint8Array) => decodeMessage(bytes, protocolVersions), 65_536],
  ['a hello', decodeHello, 4_096],
] as const)('%s of one byte over its limit is refused by its size, before it is decoded', ([, decode, limitBytes]) => {
  expect(codeOf(() => decode(new Uint8Array(limitBytes + 1)))).toBe('WIRE_TOO_LARGE');
  expect(codeOf(() => decode(new Uint8Array(limitBytes)))).toBe('WIRE_BAD_MESSAGE');
});
