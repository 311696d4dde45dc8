/** Keys, ids and signatures against other implementations: libp2p's peer ids, the chain library's wallet. */
import { mkdtempSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateKeyPair } from '@libp2p/crypto/keys';
import { peerIdFromPrivateKey } from '@libp2p/peer-id';
import { Wallet } from 'ethers';
import { describe, expect, it } from 'vitest';
import { account, digestOf, peerId, utf8 } from '../../src/common/index.ts';
import { peerIdOfKey, peerKeyOf } from '../../src/ledger/evm/peer-key.ts';
import { membersHash, readyHash } from '../../src/ledger/evm/ready.ts';
import { createAccountKey, freshAccountKey, loadAccountKey, signAccountMessage, verifyAccountSignature } from '../../src/ledger/index.ts';

const folder = mkdtempSync(join(tmpdir(), 'schwarm-keys-'));

describe('peer ids', () => {
  it('are those of libp2p, both ways', async () => {
    for (let repeat = 0; repeat < 20; repeat++) {
      const key = await generateKeyPair('Ed25519');
      const id = peerId(peerIdFromPrivateKey(key).toString());
      const raw = `0x${Buffer.from(key.publicKey.raw).toString('hex')}`;
      expect(peerKeyOf(id)).toBe(raw);
      expect(peerIdOfKey(raw)).toBe(id);
    }
    expect(peerKeyOf(peerIdOfKey(`0x${'00'.repeat(32)}`))).toBe(`0x${'00'.repeat(32)}`);
    expect(peerKeyOf(peerIdOfKey(`0x${'ff'.repeat(32)}`))).toBe(`0x${'ff'.repeat(32)}`);
  });
});

describe('account keys', () => {
  it('are kept for their user alone, and come back as they were', async () => {
    const file = join(folder, 'key.json');
    const key = await createAccountKey(file);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect((await loadAccountKey(file)).account).toBe(key.account);
    expect(account(new Wallet(JSON.parse(readFileSync(file, 'utf8')).privateKey).address)).toBe(key.account);
    await expect(createAccountKey(file)).rejects.toMatchObject({ code: 'LEDGER_KEY_EXISTS' });
  });

  it.each([
    ['no JSON', 'nonsense'],
    ['another format', '{"format":"schwarm.account/9"}'],
    ['a wrong account', JSON.stringify({ format: 'schwarm.account/1', account: `0x${'00'.repeat(20)}`, privateKey: `0x${'11'.repeat(32)}` })],
  ])('with %s are refused without a word of the key', async (what, content) => {
    const file = join(folder, `${what}.json`);
    writeFileSync(file, content);
    const error = await loadAccountKey(file).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'LEDGER_KEY_UNREADABLE' });
    expect(`${error} ${JSON.stringify(error)}`).not.toContain('1111');
    await expect(loadAccountKey(join(folder, 'missing'))).rejects.toMatchObject({ code: 'LEDGER_KEY_UNREADABLE' });
  });

  it('sign messages as EIP-191 wallets do', async () => {
    const privateKey = `0x${'42'.repeat(32)}`;
    const file = join(folder, 'fixed.json');
    const wallet = new Wallet(privateKey);
    writeFileSync(file, JSON.stringify({ format: 'schwarm.account/1', account: wallet.address.toLowerCase(), privateKey }));
    const key = await loadAccountKey(file);
    const message = utf8('enrolment');
    const signature = await signAccountMessage(key, message);
    expect(signature).toBe(await wallet.signMessage(message));
    expect(verifyAccountSignature(message, signature)).toBe(key.account);
    expect(verifyAccountSignature(utf8('another'), signature)).not.toBe(key.account);
    for (const broken of ['', '0x', signature.slice(0, -2), `${signature.slice(0, -2)}1d`, `0x${'ff'.repeat(64)}1b`])
      expect(verifyAccountSignature(message, broken)).toBeUndefined();
  });
});

describe('READY', () => {
  it('is signed as EIP-712 wallets sign it', async () => {
    const wallet = new Wallet(`0x${'43'.repeat(32)}`);
    const contract = freshAccountKey().account;
    const members = [freshAccountKey().account, freshAccountKey().account];
    const [context, sum] = [digestOf(utf8('context')), digestOf(utf8('sum'))];
    const fields = ['context', 'members', 'sum'].map((name) => ({ name, type: 'bytes32' }));
    const domain = { name: 'Schwarm', version: '1', chainId: 7, verifyingContract: contract };
    const expected = await wallet.signTypedData(domain, { Ready: fields }, { context: `0x${context}`, members: membersHash(members), sum: `0x${sum}` });
    expect(wallet.signingKey.sign(readyHash(7, contract, { context, members, sum })).serialized).toBe(expected);
    expect(membersHash([...members].reverse())).not.toBe(membersHash(members));
  });
});
