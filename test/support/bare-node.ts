/** A libp2p node without any rule of ours: what an attacker would run, with a key of its own choice. */
import { noise } from '@chainsafe/libp2p-noise';
import { privateKeyFromRaw } from '@libp2p/crypto/keys';
import { identify } from '@libp2p/identify';
import type { Stream, StreamMuxerFactory } from '@libp2p/interface';
import { kadDHT, passthroughMapper } from '@libp2p/kad-dht';
import { ping } from '@libp2p/ping';
import { tcp } from '@libp2p/tcp';
import { yamux } from '@libp2p/yamux';
import { createLibp2p, type Libp2p } from 'libp2p';
import { Uint8ArrayList } from 'uint8arraylist';
import { libp2pKey } from '../../src/network/keys.ts';

/** Protocol names of a consortium. */
export function protocolsOf({
  chainId,
  contract,
}: {
  readonly chainId: number;
  readonly contract: string;
}): Readonly<Record<'hello' | 'control' | 'content' | 'dht', string>> {
  const prefix = `/schwarm/${chainId}-${contract}`;
  return { hello: `${prefix}/hello/1`, control: `${prefix}/control/1`, content: `${prefix}/content/1`, dht: `${prefix}/kad/1.0.0` };
}

/** Starts a node with the key of `seed`. With `dht` it takes part in the consortium's own DHT as far as it is let in; `muxers` may be other ones. */
export async function bareNode(seed: Uint8Array, dht?: string, muxers: () => StreamMuxerFactory = yamux()): Promise<Libp2p & AsyncDisposable> {
  const key = libp2pKey(seed);
  const node = await createLibp2p({
    privateKey: privateKeyFromRaw(key.raw),
    addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [muxers],
    connectionGater: { denyDialMultiaddr: () => false },
    services: {
      identify: identify(),
      ping: ping(),
      ...(dht === undefined ? {} : { dht: kadDHT({ protocol: dht, clientMode: false, peerInfoMapper: passthroughMapper }) }),
    } as never,
  });
  return Object.assign(node as unknown as Libp2p, { [Symbol.asyncDispose]: async () => await node.stop() });
}

/** One frame as it travels. */
export function framed(bytes: Uint8Array, statedSizeBytes = bytes.length): Uint8ArrayList {
  const head = Buffer.alloc(4);
  head.writeUInt32BE(statedSizeBytes);
  return new Uint8ArrayList(head, bytes);
}

/** Everything that a stream brings, and how it ended. */
export class Heard {
  readonly bytes = new Uint8ArrayList();
  end: 'open' | 'closed' | 'broken' = 'open';

  constructor(stream: Stream) {
    stream.addEventListener('message', ({ data }) => this.bytes.append(data instanceof Uint8Array ? data : data.subarray()));
    stream.addEventListener('close', (event) => {
      this.end = 'error' in event && event.error ? 'broken' : 'closed';
    });
  }

  /** The next whole frame; undefined where it is not there yet. */
  frame(): Uint8Array | undefined {
    if (this.bytes.byteLength < 4) return undefined;
    const size = this.bytes.getUint32(0);
    if (this.bytes.byteLength < 4 + size) return undefined;
    const frame = this.bytes.slice(4, 4 + size);
    this.bytes.consume(4 + size);
    return frame;
  }
}
