/** The libp2p node under the network port: TCP, Noise, Yamux, and a Kademlia DHT under the consortium's own prefix as address book. */
import { noise } from '@chainsafe/libp2p-noise';
import { type Identify, identify } from '@libp2p/identify';
import { type KadDHT, kadDHT, passthroughMapper } from '@libp2p/kad-dht';
import { type Ping, ping } from '@libp2p/ping';
import { tcp } from '@libp2p/tcp';
import { createLibp2p, type Libp2p } from 'libp2p';
import type { Admission } from './admission.ts';
import { networkErrors } from './errors.ts';
import { libp2pKey } from './keys.ts';
import { addressAgeMs, maxConnections } from './limits.ts';
import { watchedYamux } from './muxer.ts';
import type { NetworkIdentity, NetworkOptions } from './network.ts';

/** What runs on the node. */
export type Services = { identify: Identify; ping: Ping; dht?: KadDHT };

/** The protocol names of a consortium. */
export function protocols(identity: NetworkIdentity): Readonly<Record<'hello' | 'control' | 'content' | 'dht', string>> {
  const prefix = `/schwarm/${identity.hello.chainId}-${identity.hello.contract}`;
  return { hello: `${prefix}/hello/1`, control: `${prefix}/control/1`, content: `${prefix}/content/1`, dht: `${prefix}/kad/1.0.0` };
}

/** Starts the node. Pings are our own (`liveness.ts`). Throws NETWORK_ADDRESS_IN_USE. */
export async function startNode(identity: NetworkIdentity, options: NetworkOptions, admission: Admission): Promise<Libp2p<Services>> {
  const dht = kadDHT({
    protocol: protocols(identity).dht,
    clientMode: false,
    peerInfoMapper: passthroughMapper,
    initialQuerySelfInterval: 250,
    allowQueryWithZeroPeers: true,
  });
  try {
    return await createLibp2p<Services>({
      privateKey: libp2pKey(identity.peerKey),
      addresses: { listen: [...options.listen], announce: [...options.announce] },
      transports: [tcp()],
      connectionEncrypters: [noise()],
      streamMuxers: [watchedYamux((protocol) => [protocols(identity).control, protocols(identity).content].includes(protocol))],
      connectionGater: admission.gater(),
      connectionManager: {
        maxConnections: maxConnections.all,
        maxIncomingPendingConnections: maxConnections.pending,
        inboundConnectionThreshold: maxConnections.inboundPerSecond,
      },
      connectionMonitor: { enabled: false },
      peerStore: { maxAddressAge: addressAgeMs, maxPeerAge: addressAgeMs },
      services: { identify: identify(), ping: ping(), ...(options.dht === false ? {} : { dht }) } as never,
    });
  } catch (error) {
    throw networkErrors.NETWORK_ADDRESS_IN_USE({ addresses: options.listen }, error);
  }
}
