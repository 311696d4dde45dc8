/** Looks that `doctor` takes before the peer runs. */
import { createServer } from 'node:net';
import { account, type Clock, type PeerId, silentLogger } from '../common/index.ts';
import { connectLedger } from '../ledger/index.ts';
import { readConfig, readConsortium } from './config.ts';
import { peerErrors } from './errors.ts';
import { ledgerEndpoint, loadIdentity } from './home.ts';

async function canListen(host: string, port: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const server = createServer();
  server.once('error', reject);
  server.listen(port, host, () => server.close(() => resolve()));
  await promise;
}

/** The looks by name. */
export const probe = {
  /** The keys in the home. */
  identity: async (home: string): Promise<{ readonly account: string; readonly peerId: PeerId }> => {
    const { key, peerId } = await loadIdentity(home);
    return { account: account(key.account), peerId };
  },

  /** The ledger answers, is the right chain, and has the right contracts. */
  ledger: async (home: string, { clock }: { readonly clock: Clock }): Promise<string> => {
    const consortium = readConsortium(home);
    const { url, chainId, contract } = consortium;
    const endpoint = ledgerEndpoint(home, consortium);
    const { key } = await loadIdentity(home);
    await using ledger = await connectLedger(
      { ...endpoint, chainId, contract, key },
      { clock, logger: silentLogger },
      { signal: clock.timeout(10_000, { signal: new AbortController().signal }) },
    );
    return `${url}, chain ${ledger.chainId}, contract ${ledger.contract}`;
  },

  /** Nobody else listens where this peer wants to. */
  ports: async (home: string): Promise<string> => {
    const { network, console } = readConfig(home);
    const wanted = network.listen.flatMap((address) => {
      const [, host, port] = /^\/ip4\/([0-9.]+)\/tcp\/(\d+)$/.exec(address) ?? [];
      return host && port ? [{ host, port: Number(port) }] : [];
    });
    for (const { host, port } of [...wanted, { host: '127.0.0.1', port: console.port }]) {
      await canListen(host, port).catch((error: unknown) => {
        throw peerErrors.PEER_PORT_IN_USE({ host, port }, error);
      });
    }
    return [...wanted.map(({ host, port }) => `${host}:${port}`), `console 127.0.0.1:${console.port}`].join(', ');
  },
};
