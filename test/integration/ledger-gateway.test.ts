/** The gateway is the only door: token, allowed methods, bounds, TLS. And the client finds out whom it talks to. */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { Transaction, Wallet } from 'ethers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Account, account, silentLogger } from '../../src/common/index.ts';
import { contracts } from '../../src/ledger/evm/artifacts.ts';
import { connectLedger, freshAccountKey, freshToken, probeLedger, type RpcEndpoint, serveLedger } from '../../src/ledger/index.ts';
import { maxRequestBytes } from '../../src/ledger/limits.ts';
import { realClock } from '../support/clock.ts';
import { Consortium, chainId, freshFolder, named, open, serveIn, token } from '../support/ledger.ts';

const parts = { clock: realClock, logger: silentLogger };
const pem = (name: string) => readFileSync(new URL(`./fixtures/${name}.pem`, import.meta.url), 'utf8');

let consortium: Consortium;
beforeAll(async () => {
  consortium = await Consortium.create({ members: 3 });
});
afterAll(() => consortium[Symbol.asyncDispose]());

async function post(
  body: string,
  authorization: string | undefined = `Bearer ${token.token}`,
): Promise<{ status: number; answer: { result?: unknown; error?: { code: number; message: string } } | undefined }> {
  const response = await fetch(consortium.url, { method: 'POST', body, ...(authorization !== undefined && { headers: { authorization } }) });
  const text = await response.text();
  return { status: response.status, answer: text === '' ? undefined : JSON.parse(text) };
}

const rpc = (method: string, params: unknown[] = []) => post(JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }));

describe('the gateway', () => {
  it('says the number of the next block as soon as that is on the disk, and without one after a second the present number', async () => {
    const head = async () => Number((await rpc('eth_blockNumber')).answer?.result);
    const before = await head();
    expect(Number((await rpc('schwarm_blockAfter', [before - 1])).answer?.error?.code)).toBe(-32602);
    expect(Number((await rpc('schwarm_blockAfter', [`0x${(before - 1).toString(16)}`])).answer?.result)).toBe(before);
    const waiting = rpc('schwarm_blockAfter', [`0x${before.toString(16)}`]);
    await consortium.submit(0, { kind: 'record', label: 'test', subject: named('subject'), hash: named('hash') });
    expect(Number((await waiting).answer?.result)).toBe(before + 1);
    expect(Number((await rpc('schwarm_blockAfter', [`0x${(before + 1).toString(16)}`])).answer?.result)).toBe(await head());
  });

  it('answers nobody without a token', async () => {
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'eth_chainId', params: [] });
    for (const wrong of ['', 'Bearer', `Bearer ${freshToken('x').token}`, `Basic ${token.token}`]) expect((await post(body, wrong)).status).toBe(401);
    expect((await post(body)).answer?.result).toBe('0x1267');
  });

  it.each([
    'anvil_setBalance',
    'anvil_setCode',
    'anvil_impersonateAccount',
    'anvil_dumpState',
    'anvil_loadState',
    'anvil_reset',
    'anvil_mine',
    'evm_mine',
    'evm_mine_detailed',
    'evm_setNextBlockTimestamp',
    'evm_increaseTime',
    'evm_snapshot',
    'evm_revert',
    'hardhat_setStorageAt',
    'eth_sendTransaction',
    'eth_sendUnsignedTransaction',
    'eth_sign',
    'eth_accounts',
    'personal_sign',
    'debug_traceTransaction',
    'txpool_content',
    'miner_start',
    'constructor',
    '__proto__',
    '',
  ])('does not serve %s', async (method) => {
    expect((await rpc(method)).answer?.error).toMatchObject({ code: -32601 });
  });

  it('takes one request of bounded size at a time', async () => {
    expect((await post('{')).answer?.error).toMatchObject({ code: -32700 });
    for (const odd of [
      '[]',
      '[{"jsonrpc":"2.0","id":1,"method":"eth_chainId"}]',
      'null',
      '7',
      '{"id":1,"method":7}',
      '{"id":{},"method":"eth_chainId"}',
      '{"id":1,"method":"eth_chainId","params":{}}',
    ]) {
      expect((await post(odd)).answer?.error).toMatchObject({ code: -32600 });
    }
    expect((await post('x'.repeat(maxRequestBytes + 1)).catch(() => ({ status: 413 }))).status).toBe(413);
    expect((await fetch(consortium.url, { headers: { authorization: `Bearer ${token.token}` } })).status).toBe(405);
    expect((await rpc('eth_chainId')).answer?.result).toBe('0x1267');
  });

  it('takes a transaction only when it is the next of its sender and of this chain', async () => {
    const wallet = Wallet.createRandom();
    const signed = (fields: object) => wallet.signTransaction({ type: 0, gasPrice: 0n, gasLimit: 21_000, chainId, nonce: 0, to: wallet.address, ...fields });
    for (const raw of ['0x', '0x1234', 'junk', Transaction.from({ nonce: 0 }).unsignedSerialized, await signed({ chainId: 1 })])
      expect((await rpc('eth_sendRawTransaction', [raw])).answer?.error).toMatchObject({ code: -32602 });
    expect((await rpc('eth_sendRawTransaction', [await signed({ nonce: 1 })])).answer?.error?.message).toContain('nonce too high');
    const first = await signed({});
    expect((await rpc('eth_sendRawTransaction', [first])).answer?.result).toBe(Transaction.from(first).hash);
    expect((await rpc('eth_sendRawTransaction', [first])).answer?.error?.message).toContain('nonce too low');
    expect((await rpc('eth_sendRawTransaction', [await signed({ nonce: 1 })])).answer?.result).toMatch(/^0x/);
  });

  it('makes one block for each transaction, with the wall clock’s time while nothing runs', async () => {
    const before = Number((await rpc('eth_blockNumber')).answer?.result);
    const wallets = Array.from({ length: 5 }, () => Wallet.createRandom());
    const raws = await Promise.all(
      wallets.map((wallet) => wallet.signTransaction({ type: 0, gasPrice: 0n, gasLimit: 21_000, chainId, nonce: 0, to: wallet.address })),
    );
    await Promise.all(raws.map((raw) => rpc('eth_sendRawTransaction', [raw])));
    expect(Number((await rpc('eth_blockNumber')).answer?.result)).toBe(before + 5);
    const head = (await rpc('eth_getBlockByNumber', ['latest', false])).answer?.result as { timestamp: string; transactions: string[] };
    expect(head.transactions).toHaveLength(1);
    expect(Math.abs(Number(head.timestamp) - Date.now() / 1_000)).toBeLessThan(5);
  });
});

describe('serving', () => {
  it('refuses a folder or a port that is in use, and leaves nothing behind', async () => {
    const [one, two] = [await freshFolder(), await freshFolder()];
    try {
      await using served = await serveIn(one.folder);
      await expect(serveIn(one.folder)).rejects.toMatchObject({ code: 'LEDGER_FOLDER_IN_USE', detail: { pid: process.pid } });
      await expect(serveIn(two.folder, realClock, Number(new URL(served.url).port))).rejects.toMatchObject({ code: 'LEDGER_PORT_IN_USE' });
      await (await serveIn(two.folder))[Symbol.asyncDispose]();
    } finally {
      await one.remove();
      await two.remove();
    }
  });

  it('refuses the folder of another chain', async () => {
    const { folder, remove } = await freshFolder();
    await (await serveIn(folder))[Symbol.asyncDispose]();
    const other = serveLedger({ folder, host: '127.0.0.1', port: 0, chainId: 1, tokens: [token] }, parts);
    await expect(other).rejects.toMatchObject({ code: 'LEDGER_FOLDER_OF_OTHER_CHAIN', detail: { expected: 1, found: chainId } });
    await remove();
  });

  it('makes a token file for this user alone, and keeps it', async () => {
    const { folder, remove } = await freshFolder();
    const options = { folder: join(folder, 'chain'), host: '127.0.0.1', port: 0, chainId, tokens: { file: join(folder, 'tokens.json') } };
    const first = await serveLedger(options, parts);
    await first[Symbol.asyncDispose]();
    await using second = await serveLedger(options, parts);
    expect(second.tokens).toEqual(first.tokens);
    expect(second.tokens[0]?.token.length).toBeGreaterThan(40);
    await remove();
  });

  it('beyond this machine needs TLS, and the client takes one certificate only', async () => {
    const { folder, remove } = await freshFolder();
    const options = { folder, host: '0.0.0.0', port: 0, chainId, tokens: [token] };
    await expect(serveLedger(options, parts)).rejects.toMatchObject({ code: 'LEDGER_UNSAFE_HOST' });
    {
      await using served = await serveLedger({ ...options, tls: { certificate: pem('ledger.cert'), key: pem('ledger.key') } }, parts);
      const url = served.url.replace('0.0.0.0', '127.0.0.1');
      const probe = (endpoint: Omit<RpcEndpoint, 'url' | 'token'>, at = url) => probeLedger({ url: at, token: token.token, ...endpoint }, parts, open);
      expect(url).toMatch(/^https:/);
      expect(await probe({ pinnedCertificate: pem('ledger.cert') })).toMatchObject({ chainId, engine: expect.stringContaining('anvil') });
      await expect(probe({ pinnedCertificate: pem('other.cert') })).rejects.toMatchObject({ code: 'LEDGER_UNREACHABLE' });
      await expect(probe({})).rejects.toMatchObject({ code: 'LEDGER_UNREACHABLE' });
      await expect(probe({}, url.replace('https:', 'http:'))).rejects.toMatchObject({ code: 'LEDGER_UNREACHABLE' });
    }
    await remove();
  });
});

describe('a client', () => {
  const connect = (changed: object) =>
    connectLedger({ url: consortium.url, token: token.token, chainId, contract: consortium.contract, key: freshAccountKey(), ...changed }, parts, open);

  it('says what it expected and what it found', async () => {
    await expect(connect({ chainId: 5 })).rejects.toMatchObject({ code: 'LEDGER_WRONG_CHAIN', detail: { expected: 5, found: chainId } });
    await expect(connect({ token: freshToken('x').token })).rejects.toMatchObject({ code: 'LEDGER_TOKEN_REFUSED' });
    await expect(connect({ contract: account(`0x${'12'.repeat(20)}`) })).rejects.toMatchObject({
      code: 'LEDGER_WRONG_CONTRACT',
      message: expect.stringContaining('no code there'),
    });
    await expect(connect({ contract: await studiesAddress() })).rejects.toMatchObject({ code: 'LEDGER_WRONG_CONTRACT', detail: { contract: 'Rounds' } });
    await expect(connect({ url: 'http://127.0.0.1:9' })).rejects.toMatchObject({
      code: 'LEDGER_UNREACHABLE',
      message: expect.stringContaining('ECONNREFUSED'),
    });
  });

  async function studiesAddress(): Promise<Account> {
    const data = contracts.Rounds.interface.encodeFunctionData('studies');
    return account(`0x${String((await rpc('eth_call', [{ to: consortium.contract, data }, 'latest'])).answer?.result).slice(-40)}`);
  }

  it('takes no answer for an answer when it is none', async () => {
    const server = createServer((_request, response) => response.end('<html>'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    await expect(connect({ url: `http://127.0.0.1:${port}` })).rejects.toMatchObject({ code: 'LEDGER_UNREACHABLE' });
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  it('of one account in two places loses nothing to the nonce', async () => {
    const key = consortium.key(1);
    const ledgers = await Promise.all([connect({ key }), connect({ key })]);
    const sent = await Promise.all(
      Array.from({ length: 10 }, (_, at) => ledgers[at % 2]?.submit({ kind: 'record', label: 'n', subject: named(`${at}`), hash: named('h') }, open)),
    );
    expect(new Set(sent.map((receipt) => receipt?.transaction)).size).toBe(10);
    for (const ledger of ledgers) await ledger[Symbol.asyncDispose]();
  });
});
