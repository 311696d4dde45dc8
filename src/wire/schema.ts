/** The protobuf schema as `proto/schwarm.proto` has it, in the form that protobufjs loads without reading a file. A test holds both together. */
import type { INamespace } from 'protobufjs';

const bytes = (id: number) => ({ type: 'bytes', id });
const uint32 = (id: number) => ({ type: 'uint32', id });
const text = (id: number) => ({ type: 'string', id });

export const schema: INamespace = {
  options: { syntax: 'proto3' },
  nested: {
    schwarm: {
      nested: {
        Envelope: {
          oneofs: { body: { oneof: ['request', 'bundle', 'shares', 'seed', 'seedShare'] } },
          fields: {
            version: uint32(1),
            context: bytes(2),
            request: { type: 'Request', id: 3 },
            bundle: { type: 'Bundle', id: 4 },
            shares: { type: 'Shares', id: 5 },
            seed: { type: 'Seed', id: 6 },
            seedShare: { type: 'SeedShare', id: 7 },
          },
        },
        Request: { fields: { item: uint32(1), attempt: uint32(2), owner: uint32(3) } },
        Bundle: { fields: { x25519: bytes(1), kem: bytes(2), seedHashes: { rule: 'repeated', type: 'bytes', id: 3 }, shareRoot: bytes(4) } },
        Shares: { fields: { ciphertext: bytes(1), sealed: bytes(2) } },
        Seed: { fields: { attempt: uint32(1), seed: bytes(2) } },
        SeedShare: { fields: { attempt: uint32(1), owner: uint32(2), share: bytes(3), path: bytes(4) } },
        Hello: {
          fields: {
            version: uint32(1),
            chainId: { type: 'uint64', id: 2 },
            contract: text(3),
            account: text(4),
            peerId: text(5),
            accountSignature: text(6),
            peerSignature: bytes(7),
          },
        },
      },
    },
  },
};
