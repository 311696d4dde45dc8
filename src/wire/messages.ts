/**
 * Control messages between two members of a round, in protobuf (`proto/schwarm.proto`). Size is checked before decoding,
 * every field's length after it; who sent a message is known from the connection and is never a field.
 */
import protobuf from 'protobufjs';
import { assert, type Digest, digest, digestBytes, toHex } from '../common/index.ts';
import { wireErrors } from './errors.ts';
import { maxAttempts, maxControlSizeBytes, maxGenerations, maxMembers, maxPathSizeBytes } from './limits.ts';
import { schema } from './schema.ts';

/** Something that one member of a round may ask another for. */
export type Item =
  | { readonly kind: 'bundle' }
  | { readonly kind: 'shares' }
  | { readonly kind: 'seed'; readonly attempt: number }
  /** The asked member's share of `owner`'s seed. */
  | { readonly kind: 'seedShare'; readonly attempt: number; readonly owner: number }
  /** Root of the asked member's sum of a shard. */
  | { readonly kind: 'shardSum'; readonly attempt: number; readonly generation: number; readonly shard: number }
  /** The asked member's secret value behind the points of a generation. */
  | { readonly kind: 'point'; readonly attempt: number; readonly generation: number }
  /** Fingerprints of the asked member's masked vector, one a shard. */
  | { readonly kind: 'prints'; readonly attempt: number; readonly generation: number }
  /** The root of the masked sum of the asked member's group. */
  | { readonly kind: 'groupSum'; readonly attempt: number }
  /** The bundle of `owner`, which the asked member holds. */
  | { readonly kind: 'bundleOf'; readonly owner: number };

/** Public keys and commitments of one member in one round; lengths in bytes 32, 1184, 32 each, 32, 32 each. */
export interface BundleBody {
  readonly x25519: Uint8Array;
  readonly kem: Uint8Array;
  readonly seedHashes: readonly Uint8Array[];
  readonly shareRoot: Uint8Array;
  readonly pointHashes: readonly Uint8Array[];
}

/** What a message says. */
export type MessageBody =
  | { readonly kind: 'request'; readonly item: Item }
  | ({ readonly kind: 'bundle' } & BundleBody)
  | { readonly kind: 'shares'; readonly ciphertext: Uint8Array; readonly sealed: Uint8Array }
  | { readonly kind: 'seed'; readonly attempt: number; readonly seed: Uint8Array }
  | { readonly kind: 'seedShare'; readonly attempt: number; readonly owner: number; readonly share: Uint8Array; readonly path: Uint8Array }
  | { readonly kind: 'shardSum'; readonly attempt: number; readonly generation: number; readonly shard: number; readonly root: Digest }
  | { readonly kind: 'point'; readonly attempt: number; readonly generation: number; readonly point: Uint8Array }
  /** `prints`: for each shard two values below 2^61 - 1, 8 bytes each. */
  | { readonly kind: 'prints'; readonly attempt: number; readonly generation: number; readonly prints: Uint8Array }
  /** `root`: where the masked sum of the sender's group is found. */
  | { readonly kind: 'groupSum'; readonly attempt: number; readonly root: Digest }
  /** Another member's bundle, passed on; the ledger holds its hash. */
  | { readonly kind: 'bundleOf'; readonly owner: number; readonly bundle: BundleBody };

/** The version of the protocol in which each kind of message, and of item asked for, was first spoken. */
const firstVersion: Readonly<Record<MessageBody['kind'], number>> = {
  request: 1,
  bundle: 1,
  shares: 1,
  seed: 1,
  seedShare: 1,
  shardSum: 2,
  point: 2,
  prints: 2,
  groupSum: 2,
  bundleOf: 2,
};

/** A message of one round, which its context names. */
export interface PeerMessage {
  readonly context: Digest;
  readonly body: MessageBody;
}

/** A message with the version of the protocol that it was encoded in. */
export interface ReceivedMessage extends PeerMessage {
  readonly version: number;
}

const root = protobuf.Root.fromJSON(schema);
const Envelope = root.lookupType('schwarm.Envelope');
const itemKinds = ['bundle', 'shares', 'seed', 'seedShare', 'shardSum', 'point', 'prints', 'groupSum', 'bundleOf'] as const;

/** The first version that has a message with this body. */
function versionOf({ kind, ...body }: MessageBody): number {
  return Math.max(firstVersion[kind], 'item' in body ? firstVersion[body.item.kind] : 1);
}

/** Encodes a control message in the version of its run, which has it; without one, in the first version that has it. */
export function encodeMessage(message: PeerMessage, version = versionOf(message.body)): Uint8Array {
  assert(versionOf(message.body) <= version, 'a message is sent only in runs whose version has it');
  const { kind, ...fields } = message.body;
  const body = message.body.kind === 'request' ? encodeItem(message.body.item) : 'root' in fields ? { ...fields, root: digestBytes(fields.root) } : fields;
  return Envelope.encode(Envelope.fromObject({ version, context: digestBytes(message.context), [kind]: body })).finish();
}

function encodeItem(item: Item): object {
  return { ...item, item: itemKinds.indexOf(item.kind) };
}

type Fields = Readonly<Record<string, unknown>>;

function bad(reason: string): Error {
  return wireErrors.WIRE_BAD_MESSAGE({ what: 'control message', reason });
}

function bytesOf(fields: Fields, name: string, smallest: number, largest = smallest): Uint8Array {
  const value = fields[name] ?? new Uint8Array(0);
  if (!(value instanceof Uint8Array) || value.length < smallest || value.length > largest)
    throw bad(`field ${name} is not ${smallest} to ${largest} bytes long`);
  return new Uint8Array(value);
}

function numberOf(fields: Fields, name: string, below: number): number {
  const value = fields[name] ?? 0;
  if (typeof value !== 'number' || value >= below) throw bad(`field ${name} is not below ${below}`);
  return value;
}

function decodeItem(fields: Fields): Item {
  const kind = itemKinds[numberOf(fields, 'item', itemKinds.length)] ?? 'bundle';
  const attempt = numberOf(fields, 'attempt', maxAttempts);
  if (kind === 'seed' || kind === 'groupSum') return { kind, attempt };
  if (kind === 'seedShare') return { kind, attempt, owner: numberOf(fields, 'owner', maxMembers) };
  if (kind === 'bundleOf') return { kind, owner: numberOf(fields, 'owner', maxMembers) };
  if (kind === 'bundle' || kind === 'shares') return { kind };
  const generation = numberOf(fields, 'generation', maxGenerations);
  return kind === 'shardSum' ? { kind, attempt, generation, shard: numberOf(fields, 'shard', maxMembers) } : { kind, attempt, generation };
}

function hashesOf(fields: Fields, name: string, fewest: number, most: number): readonly Uint8Array[] {
  const hashes = fields[name] ?? [];
  if (!Array.isArray(hashes) || hashes.length < fewest || hashes.length > most) throw bad(`field ${name} has not ${fewest} to ${most} entries`);
  return hashes.map((hash: unknown) => bytesOf({ hash }, 'hash', 32));
}

function decodeBundle(fields: Fields): BundleBody {
  const seedHashes = hashesOf(fields, 'seedHashes', 1, maxAttempts);
  const pointHashes = hashesOf(fields, 'pointHashes', 0, maxAttempts * maxGenerations);
  const keys = { x25519: bytesOf(fields, 'x25519', 32), kem: bytesOf(fields, 'kem', 1184) };
  return { ...keys, seedHashes, shareRoot: bytesOf(fields, 'shareRoot', 32), pointHashes };
}

const ofGeneration = (fields: Fields) => ({
  attempt: numberOf(fields, 'attempt', maxAttempts),
  generation: numberOf(fields, 'generation', maxGenerations),
});

const bodyDecoders: Readonly<Record<string, (fields: Fields) => MessageBody>> = {
  request: (fields) => ({ kind: 'request', item: decodeItem(fields) }),
  bundle: (fields) => ({ kind: 'bundle', ...decodeBundle(fields) }),
  shares: (fields) => ({ kind: 'shares', ciphertext: bytesOf(fields, 'ciphertext', 0, 1088), sealed: bytesOf(fields, 'sealed', 16, 16_384) }),
  seed: (fields) => ({ kind: 'seed', attempt: numberOf(fields, 'attempt', maxAttempts), seed: bytesOf(fields, 'seed', 32) }),
  seedShare: (fields) => ({
    kind: 'seedShare',
    attempt: numberOf(fields, 'attempt', maxAttempts),
    owner: numberOf(fields, 'owner', maxMembers),
    share: bytesOf(fields, 'share', 33),
    path: bytesOf(fields, 'path', 0, maxPathSizeBytes),
  }),
  shardSum: (fields) => ({
    kind: 'shardSum',
    ...ofGeneration(fields),
    shard: numberOf(fields, 'shard', maxMembers),
    root: digest(toHex(bytesOf(fields, 'root', 32))),
  }),
  point: (fields) => ({ kind: 'point', ...ofGeneration(fields), point: bytesOf(fields, 'point', 32) }),
  prints: (fields) => ({ kind: 'prints', ...ofGeneration(fields), prints: bytesOf(fields, 'prints', 16, 16 * maxMembers) }),
  groupSum: (fields) => ({ kind: 'groupSum', attempt: numberOf(fields, 'attempt', maxAttempts), root: digest(toHex(bytesOf(fields, 'root', 32))) }),
  bundleOf: (fields) => ({ kind: 'bundleOf', owner: numberOf(fields, 'owner', maxMembers), bundle: decodeBundle((fields['bundle'] ?? {}) as Fields) }),
};

/** Decodes and checks a control message in one of the versions `spoken`. Throws WIRE_TOO_LARGE, WIRE_VERSION or WIRE_BAD_MESSAGE, and nothing else. */
export function decodeMessage(bytes: Uint8Array, spoken: readonly number[]): ReceivedMessage {
  const fields = decodeChecked(Envelope, bytes, { what: 'control message', limitBytes: maxControlSizeBytes });
  const version = numberOf(fields, 'version', 2 ** 32);
  if (!spoken.includes(version)) throw wireErrors.WIRE_VERSION({ version, ours: spoken });
  const context = digest(toHex(bytesOf(fields, 'context', 32)));
  const kinds = Object.keys(bodyDecoders).filter((kind) => fields[kind] !== undefined);
  const kind = kinds[0];
  const decoder = kind === undefined ? undefined : bodyDecoders[kind];
  if (kinds.length !== 1 || kind === undefined || decoder === undefined) throw bad(`${kinds.length} bodies instead of one`);
  const body = decoder((fields[kind] ?? {}) as Fields);
  if (versionOf(body) > version) throw bad(`version ${version} has no such message`);
  return { version, context, body };
}

/** Decodes one protobuf message of bounded size into plain fields. Throws WIRE_TOO_LARGE or WIRE_BAD_MESSAGE. */
export function decodeChecked(type: protobuf.Type, bytes: Uint8Array, bound: { readonly what: string; readonly limitBytes: number }): Fields {
  if (bytes.length > bound.limitBytes) throw wireErrors.WIRE_TOO_LARGE({ what: bound.what, sizeBytes: bytes.length, limitBytes: bound.limitBytes });
  try {
    return type.toObject(type.decode(bytes), { defaults: false, longs: Number });
  } catch (error) {
    throw wireErrors.WIRE_BAD_MESSAGE({ what: bound.what, reason: 'not protobuf of the expected type' }, error);
  }
}

/** A message type of the schema, by its name within the package. */
export function messageType(name: string): protobuf.Type {
  return root.lookupType(`schwarm.${name}`);
}
