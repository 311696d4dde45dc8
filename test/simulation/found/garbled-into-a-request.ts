import { expect } from 'vitest';
import { decodeMessage, encodeMessage, protocolVersions } from '../../../src/wire/index.ts';
import { named } from '../named.ts';
import { messagesAreBounded } from '../oracles-bounds.ts';
import { nothingSeen } from '../seen.ts';
import { Spectator } from '../spectator.ts';
import { type Case, quiet } from './case.ts';

/** Where the field's number stands: version (2 bytes), then tag, length and 32 bytes of context. */
const tagAt = 36;
const context = named('context');

export const found: Case = {
  by: 'seed 1008006',
  wrong:
    'One bit turned a share of a seed into a request for a bundle, which was rightly answered; the world counted short requests only, so the answer looked like one that nobody had asked for.',
  fix: 'A garbled message of any size is read, and counted where it asks for something (test/simulation/spectator.ts).',
  check: () => {
    const share = { kind: 'seedShare', attempt: 0, owner: 0, share: new Uint8Array(33), path: new Uint8Array(64) } as const;
    const bytes = encodeMessage({ context, body: share });
    bytes[tagAt] = (bytes[tagAt] ?? 0) ^ 0x20;
    expect(decodeMessage(bytes, protocolVersions).body).toEqual({ kind: 'request', item: { kind: 'bundle' } });
    const answered = (arriving: readonly Uint8Array[]): readonly string[] => {
      const seen = nothingSeen(quiet);
      const spectator = new Spectator(seen, []);
      for (const one of arriving) spectator.arrived({ from: 2, to: 1, bytes: one, isGarbled: true });
      const empty = { x25519: new Uint8Array(32), kem: new Uint8Array(1184), seedHashes: [], shareRoot: new Uint8Array(32), pointHashes: [] };
      spectator.sent({ from: 1, to: 2 }, { context, body: { kind: 'bundle', ...empty } }, 0);
      return messagesAreBounded(seen);
    };
    expect(answered([bytes])).toEqual([]);
    expect(answered([])).toEqual(['member 1 sent bundle to member 2 1 times, asked 0 times']);
  },
};
