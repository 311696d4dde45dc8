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
          oneofs: { body: { oneof: ['request', 'bundle', 'shares', 'seed', 'seedShare', 'shardSum', 'point', 'prints', 'groupSum', 'bundleOf'] } },
          fields: {
            version: uint32(1),
            context: bytes(2),
            request: { type: 'Request', id: 3 },
            bundle: { type: 'Bundle', id: 4 },
            shares: { type: 'Shares', id: 5 },
            seed: { type: 'Seed', id: 6 },
            seedShare: { type: 'SeedShare', id: 7 },
            shardSum: { type: 'ShardSum', id: 8 },
            point: { type: 'Point', id: 9 },
            prints: { type: 'Prints', id: 10 },
            groupSum: { type: 'GroupSum', id: 11 },
            bundleOf: { type: 'BundleOf', id: 12 },
          },
        },
        Request: { fields: { item: uint32(1), attempt: uint32(2), owner: uint32(3), generation: uint32(4), shard: uint32(5) } },
        Bundle: {
          fields: {
            x25519: bytes(1),
            kem: bytes(2),
            seedHashes: { rule: 'repeated', type: 'bytes', id: 3 },
            shareRoot: bytes(4),
            pointHashes: { rule: 'repeated', type: 'bytes', id: 5 },
          },
        },
        Shares: { fields: { ciphertext: bytes(1), sealed: bytes(2) } },
        Seed: { fields: { attempt: uint32(1), seed: bytes(2) } },
        SeedShare: { fields: { attempt: uint32(1), owner: uint32(2), share: bytes(3), path: bytes(4) } },
        ShardSum: { fields: { attempt: uint32(1), generation: uint32(2), shard: uint32(3), root: bytes(4) } },
        Point: { fields: { attempt: uint32(1), generation: uint32(2), point: bytes(3) } },
        Prints: { fields: { attempt: uint32(1), generation: uint32(2), prints: bytes(3) } },
        GroupSum: { fields: { attempt: uint32(1), root: bytes(2) } },
        BundleOf: { fields: { owner: uint32(1), bundle: { type: 'Bundle', id: 2 } } },
        Hello: {
          fields: {
            version: uint32(1),
            chainId: { type: 'uint64', id: 2 },
            contract: text(3),
            account: text(4),
            peerId: text(5),
            accountSignature: text(6),
            peerSignature: bytes(7),
            versions: { rule: 'repeated', type: 'uint32', id: 8 },
          },
        },
      },
    },
  },
};
