/** The committed artefacts are those of the committed sources, and every event of theirs becomes a fact. */
import { describe, expect, it } from 'vitest';
import { compileContracts } from '../../contracts/build.mjs';
import { contracts, runtimeFingerprint } from '../../src/ledger/evm/artifacts.ts';
import { factEvents } from '../../src/ledger/evm/events.ts';

describe('the contracts', () => {
  it('rebuild to identical artefacts', async () => {
    const built = compileContracts() as Record<string, unknown>;
    expect(Object.keys(built)).toEqual(['Members', 'Studies', 'Rounds']);
    for (const [name, artifact] of Object.entries(built)) {
      const committed = await import(`../../contracts/artifacts/${name}.json`, { with: { type: 'json' } });
      expect(JSON.parse(JSON.stringify(artifact)), name).toEqual(committed.default);
    }
  });

  it('fit under the EIP-170 limit of runtime code', async () => {
    for (const name of Object.keys(contracts)) {
      const { default: artifact } = await import(`../../contracts/artifacts/${name}.json`, { with: { type: 'json' } });
      expect(artifact.runtime.sizeBytes, name).toBeLessThan(24_576);
      expect(artifact.compiler.settings).toMatchObject({ evmVersion: 'paris', viaIR: false, optimizer: { enabled: true, runs: 200 } });
    }
  });

  it('have no event that the client does not know, and the client none that they do not have', () => {
    const events = Object.values(contracts).flatMap((contract) =>
      contract.interface.fragments.flatMap((fragment) => (fragment.type === 'event' ? [fragment.format().split('(')[0]] : [])),
    );
    expect([...factEvents].sort()).toEqual([...new Set(events)].sort());
  });

  it('are recognised by their code whatever the immutable words say, and by nothing else', () => {
    const { Rounds } = contracts;
    const [first] = Rounds.immutables;
    const code = new Uint8Array(20_000).fill(1);
    const other = Uint8Array.from(code);
    other.fill(2, first?.start, (first?.start ?? 0) + 32);
    const hex = (bytes: Uint8Array) => `0x${Buffer.from(bytes).toString('hex')}`;
    expect(runtimeFingerprint(Rounds, hex(other))).toBe(runtimeFingerprint(Rounds, hex(code)));
    other[0] = 9;
    expect(runtimeFingerprint(Rounds, hex(other))).not.toBe(runtimeFingerprint(Rounds, hex(code)));
  });
});
