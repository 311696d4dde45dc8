/** Messages between peers: round trips, every limit, and decoders that never throw anything but WIRE_…. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import protobuf from 'protobufjs';
import { describe, expect, it } from 'vitest';
import { type Account, account, digest, isSwarmError, peerId } from '../../src/common/index.ts';
import {
  bindingStatement,
  bitsToSet,
  commonVersion,
  decodeHello,
  decodeMessage,
  encodeHello,
  encodeMessage,
  enrolmentStatement,
  type Hello,
  type MessageBody,
  maxControlSizeBytes,
  maxHelloSizeBytes,
  protocolVersions,
  setToBits,
} from '../../src/wire/index.ts';
import { messageType } from '../../src/wire/messages.ts';

const bytes = (smallest: number, largest = smallest) => fc.uint8Array({ minLength: smallest, maxLength: largest });
const attempt = fc.integer({ min: 0, max: 7 });
const member = fc.integer({ min: 0, max: 127 });
const generation = fc.integer({ min: 0, max: 1 });
const item = fc.oneof(
  fc.record({ kind: fc.constantFrom('bundle' as const, 'shares' as const) }),
  fc.record({ kind: fc.constantFrom('seed' as const, 'groupSum' as const), attempt }),
  fc.record({ kind: fc.constant('seedShare' as const), attempt, owner: member }),
  fc.record({ kind: fc.constant('bundleOf' as const), owner: member }),
  fc.record({ kind: fc.constant('shardSum' as const), attempt, generation, shard: member }),
  fc.record({ kind: fc.constantFrom('point' as const, 'prints' as const), attempt, generation }),
);
const hash = bytes(32).map((value) => digest(Buffer.from(value).toString('hex')));
const bundle = {
  x25519: bytes(32),
  kem: bytes(1184),
  seedHashes: fc.array(bytes(32), { minLength: 1, maxLength: 8 }),
  shareRoot: bytes(32),
  pointHashes: fc.array(bytes(32), { maxLength: 16 }),
};
const body: fc.Arbitrary<MessageBody> = fc.oneof(
  fc.record({ kind: fc.constant('request' as const), item }),
  fc.record({ kind: fc.constant('bundle' as const), ...bundle }),
  fc.record({ kind: fc.constant('bundleOf' as const), owner: member, bundle: fc.record(bundle) }),
  fc.record({ kind: fc.constant('shares' as const), ciphertext: fc.oneof(bytes(0), bytes(1088)), sealed: bytes(16, 900) }),
  fc.record({ kind: fc.constant('seed' as const), attempt, seed: bytes(32) }),
  fc.record({ kind: fc.constant('groupSum' as const), attempt, root: hash }),
  fc.record({
    kind: fc.constant('seedShare' as const),
    attempt,
    owner: member,
    share: bytes(33),
    path: fc.integer({ min: 0, max: 9 }).chain((levels) => bytes(32 * levels)),
  }),
  fc.record({ kind: fc.constant('shardSum' as const), attempt, generation, shard: member, root: hash }),
  fc.record({ kind: fc.constant('point' as const), attempt, generation, point: bytes(32) }),
  fc.record({ kind: fc.constant('prints' as const), attempt, generation, prints: fc.integer({ min: 1, max: 64 }).chain((shards) => bytes(16 * shards)) }),
);
const context = hash;
const example = { context: digest('ab'.repeat(32)), body: { kind: 'seed', attempt: 1, seed: new Uint8Array(32).fill(5) } } as const;

const codeOf = (work: () => unknown): string => {
  try {
    work();
    return 'read';
  } catch (error) {
    return isSwarmError(error) ? error.code : `not coded: ${String(error)}`;
  }
};

/** Versions that have a message: what belongs to shards and groups came with the second. */
function versionsOf(body: MessageBody): readonly number[] {
  const kind = body.kind === 'request' ? body.item.kind : body.kind;
  const sharded = ['shardSum', 'point', 'prints', 'groupSum', 'bundleOf'].includes(kind) || (body.kind === 'bundle' && body.pointHashes.length > 0);
  return protocolVersions.filter((version) => version >= 2 || !sharded);
}

describe('control messages', () => {
  it('come back as they were', () => {
    fc.assert(
      fc.property(fc.record({ context, body }), (message) => {
        for (const version of versionsOf(message.body))
          expect(decodeMessage(encodeMessage(message, version), protocolVersions)).toEqual({ ...message, version });
      }),
      { numRuns: 300 },
    );
  });

  it('end in WIRE_… and nothing else, whatever arrives', () => {
    const known = ['read', 'WIRE_BAD_MESSAGE', 'WIRE_VERSION', 'WIRE_TOO_LARGE'];
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2_000 }), (noise) => known.includes(codeOf(() => decodeMessage(noise, protocolVersions)))),
      { numRuns: 2_000 },
    );
    fc.assert(
      fc.property(fc.record({ context, body }), fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 }), (message, changes) => {
        const noise = new Uint8Array(encodeMessage(message, versionsOf(message.body)[0] ?? 1));
        for (const [at, value] of changes) noise[at % noise.length] = value;
        return (
          known.includes(codeOf(() => decodeMessage(noise, protocolVersions))) &&
          known.includes(codeOf(() => decodeMessage(noise.subarray(0, changes[0]?.[0] ?? 0), protocolVersions)))
        );
      }),
      { numRuns: 2_000 },
    );
  });

  it('are refused above their size before they are read', () => {
    expect(codeOf(() => decodeMessage(new Uint8Array(maxControlSizeBytes + 1), protocolVersions))).toBe('WIRE_TOO_LARGE');
    expect(codeOf(() => decodeMessage(new Uint8Array(maxControlSizeBytes), protocolVersions))).toBe('WIRE_BAD_MESSAGE');
  });

  it('are refused in another version and without a body; of two bodies the last counts, as protobuf has it', () => {
    const type = messageType('Envelope');
    const encode = (fields: object): Uint8Array => type.encode(type.fromObject(fields)).finish();
    const envelope = { version: 1, context: new Uint8Array(32), seed: { attempt: 0, seed: new Uint8Array(32) } };
    expect(codeOf(() => decodeMessage(encode(envelope), protocolVersions))).toBe('read');
    expect(codeOf(() => decodeMessage(encode({ ...envelope, version: 3 }), protocolVersions))).toBe('WIRE_VERSION');
    expect(codeOf(() => decodeMessage(encode({ ...envelope, context: new Uint8Array(31) }), protocolVersions))).toBe('WIRE_BAD_MESSAGE');
    expect(codeOf(() => decodeMessage(encode({ version: 1, context: new Uint8Array(32) }), protocolVersions))).toBe('WIRE_BAD_MESSAGE');
    const two = Buffer.concat([encodeMessage(example, 1), encodeMessage({ ...example, body: { kind: 'request', item: { kind: 'bundle' } } }, 1)]);
    expect(decodeMessage(two, protocolVersions).body).toEqual({ kind: 'request', item: { kind: 'bundle' } });
    const wrong = [
      { seed: { attempt: 8, seed: new Uint8Array(32) } },
      { seed: { attempt: 0, seed: new Uint8Array(33) } },
      { request: { item: 8 } },
      { request: { item: 3, owner: 128 } },
      { groupSum: { attempt: 0, root: new Uint8Array(31) } },
      { seedShare: { share: new Uint8Array(32) } },
      { seedShare: { share: new Uint8Array(33), path: new Uint8Array(32 * 32 + 1) } },
      { shares: { sealed: new Uint8Array(15) } },
      { shares: { sealed: new Uint8Array(16_385) } },
      { shares: { sealed: new Uint8Array(16), ciphertext: new Uint8Array(1_089) } },
      { bundle: { x25519: new Uint8Array(32), kem: new Uint8Array(1_184), shareRoot: new Uint8Array(32) } },
      { bundle: { x25519: new Uint8Array(32), kem: new Uint8Array(1_183), shareRoot: new Uint8Array(32), seedHashes: [new Uint8Array(32)] } },
    ];
    for (const one of wrong)
      expect(
        codeOf(() => decodeMessage(encode({ version: 1, context: new Uint8Array(32), ...one }), protocolVersions)),
        JSON.stringify(Object.keys(one)),
      ).toBe('WIRE_BAD_MESSAGE');
  });

  it('carry their version, and are read only in versions that are spoken here', () => {
    const second = encodeMessage(example, 2);
    expect(decodeMessage(second, [1, 2]).version).toBe(2);
    expect(codeOf(() => decodeMessage(second, [1]))).toBe('WIRE_VERSION');
    expect(codeOf(() => decodeMessage(encodeMessage(example, 1), [2]))).toBe('WIRE_VERSION');
  });

  it('exist from the version on that first had them: reduce-scatter has its own from version 2', () => {
    const point = { context: example.context, body: { kind: 'point', attempt: 0, generation: 0, point: new Uint8Array(32) } } as const;
    const asked = { context: example.context, body: { kind: 'request', item: { kind: 'point', attempt: 0, generation: 0 } } } as const;
    const type = messageType('Envelope');
    for (const message of [point, asked]) {
      expect(decodeMessage(encodeMessage(message), protocolVersions).version).toBe(2);
      expect(codeOf(() => encodeMessage(message, 1))).toBe('COMMON_BROKEN_INVARIANT');
      const fields = type.toObject(type.decode(encodeMessage(message)));
      expect(codeOf(() => decodeMessage(type.encode(type.fromObject({ ...fields, version: 1 })).finish(), protocolVersions))).toBe('WIRE_BAD_MESSAGE');
    }
    expect(decodeMessage(encodeMessage(example), protocolVersions).version).toBe(1);
  });

  it('do not share memory with the bytes that they came in', () => {
    const encoded = encodeMessage(example, 1);
    const { body: read } = decodeMessage(encoded, protocolVersions);
    encoded.fill(0);
    expect(read.kind === 'seed' ? read.seed : undefined).toEqual(example.body.seed);
  });
});

describe('hello and enrolment', () => {
  const own: Hello = {
    chainId: 4_711,
    contract: account(`0x${'c0'.repeat(20)}`),
    account: account(`0x${'a1'.repeat(20)}`),
    peerId: peerId(`12D3KooW${'A'.repeat(44)}`),
    accountSignature: `0x${'5'.repeat(130)}`,
    peerSignature: new Uint8Array(64).fill(9),
    versions: [1, 2],
  };

  it('come back as they were, and are refused where a field is not what it should be', () => {
    expect(decodeHello(encodeHello(own))).toEqual(own);
    expect(codeOf(() => decodeHello(encodeHello({ ...own, contract: '0x12' as Account })))).toBe('WIRE_BAD_MESSAGE');
    expect(codeOf(() => decodeHello(encodeHello({ ...own, accountSignature: '0x12' })))).toBe('WIRE_BAD_MESSAGE');
    expect(codeOf(() => decodeHello(encodeHello({ ...own, peerSignature: new Uint8Array(63) })))).toBe('WIRE_BAD_MESSAGE');
    expect(codeOf(() => decodeHello(new Uint8Array(maxHelloSizeBytes + 1)))).toBe('WIRE_TOO_LARGE');
    fc.assert(
      fc.property(fc.nat(), fc.nat(255), (at, value) => {
        const noise = new Uint8Array(encodeHello(own));
        noise[at % noise.length] = value;
        return ['read', 'WIRE_BAD_MESSAGE', 'WIRE_VERSION'].includes(codeOf(() => decodeHello(noise)));
      }),
      { numRuns: 500 },
    );
  });

  it('tell the versions that a peer speaks; the one field of a peer of the first version is its list', () => {
    const type = messageType('Hello');
    const fields = (versions: readonly number[]) => type.toObject(type.decode(encodeHello({ ...own, versions })));
    const sent = (change: object): Uint8Array => type.encode(type.fromObject({ ...fields([1, 2]), ...change })).finish();
    expect(fields([1, 2])['version'], 'what a peer of the first version looks at').toBe(1);
    expect(fields([3, 5])['version']).toBe(3);
    expect(decodeHello(sent({ version: 1, versions: [] })).versions).toEqual([1]);
    expect(decodeHello(encodeHello({ ...own, versions: [2, 7] })).versions).toEqual([2, 7]);
    const wrong = [[0], [2, 1], [1, 1], Array.from({ length: 17 }, (_, at) => at + 1)];
    for (const versions of wrong)
      expect(
        codeOf(() => decodeHello(sent({ versions }))),
        versions.join(),
      ).toBe('WIRE_BAD_MESSAGE');
    expect(codeOf(() => decodeHello(sent({ version: 0, versions: [] })))).toBe('WIRE_BAD_MESSAGE');
  });

  it('agree on the highest version in common, where there is one', () => {
    expect(commonVersion([1, 2], [1, 2, 3], [1, 2])).toBe(2);
    expect(commonVersion([1, 2], [1])).toBe(1);
    expect(commonVersion([2, 3], [1])).toBeUndefined();
    expect(commonVersion([1], [])).toBeUndefined();
  });

  it('are signed as lines that a person can read', () => {
    expect(Buffer.from(bindingStatement(own)).toString()).toBe(
      `Schwarm peer binding, version 1\nchain 4711\ncontract ${own.contract}\naccount ${own.account}\npeer ${own.peerId}\n`,
    );
    const enrolment = { name: 'St. "Anna"\naccount 0x00', account: own.account, peerId: own.peerId, addresses: ['/ip4/10.0.0.1/tcp/4001'] };
    expect(Buffer.from(enrolmentStatement(enrolment)).toString()).toBe(
      `Schwarm enrolment, version 1\nname "St. \\"Anna\\"\\naccount 0x00"\naccount ${own.account}\npeer ${own.peerId}\naddress /ip4/10.0.0.1/tcp/4001\n`,
    );
  });
});

describe('sets of members', () => {
  it('are bits and back', () => {
    fc.assert(
      fc.property(fc.uniqueArray(member), (set) => {
        expect(bitsToSet(setToBits(set))).toEqual([...set].sort((a, b) => a - b));
      }),
    );
  });
});

describe('the schema', () => {
  it('is that of proto/schwarm.proto', () => {
    const text = readFileSync(fileURLToPath(new URL('../../proto/schwarm.proto', import.meta.url)), 'utf8');
    const { root, package: name } = protobuf.parse(text, { keepCase: true });
    expect(name).toBe('schwarm');
    const types = root.lookup('schwarm')?.toJSON()?.['nested'] ?? {};
    for (const [type, written] of Object.entries(types)) expect(shapeOf(messageType(type).toJSON()), type).toEqual(shapeOf(written as protobuf.IType));
    expect(Object.keys(types).sort()).toEqual([
      'Bundle',
      'BundleOf',
      'Envelope',
      'GroupSum',
      'Hello',
      'Point',
      'Prints',
      'Request',
      'Seed',
      'SeedShare',
      'ShardSum',
      'Shares',
    ]);
  });
});

/** Fields and oneofs, without what the two ways of loading add. */
function shapeOf({ fields, oneofs }: protobuf.IType): object {
  const plain = Object.entries(fields).map(([name, { type, id, ...rest }]) => [name, { type, id, rule: 'rule' in rest ? rest.rule : undefined }]);
  return { fields: Object.fromEntries(plain), oneofs: Object.fromEntries(Object.entries(oneofs ?? {}).map(([name, { oneof }]) => [name, oneof])) };
}
