/**
 * Control messages between two members of a round, in protobuf (`proto/schwarm.proto`). Size is checked before decoding,
 * every field's length after it; who sent a message is known from the connection and is never a field.
 */
import protobuf from 'protobufjs';
import { type Digest, digest, digestBytes, toHex } from '../common/index.ts';
import { wireErrors } from './errors.ts';
import { maxAttempts, maxControlSizeBytes, maxMembers, maxPathSizeBytes } from './limits.ts';
import { schema } from './schema.ts';

/** The version of the protocol between peers. */
export const protocolVersion = 1;

/** Something that one member of a round may ask another for. */
export type Item =
  | { readonly kind: 'bundle' }
  | { readonly kind: 'shares' }
  | { readonly kind: 'seed'; readonly attempt: number }
  /** The asked member's share of `owner`'s seed. */
  | { readonly kind: 'seedShare'; readonly attempt: number; readonly owner: number };

/** Public keys and commitments of one member in one round; lengths in bytes 32, 1184, 32 each, 32. */
export interface BundleBody {
  readonly x25519: Uint8Array;
  readonly kem: Uint8Array;
  readonly seedHashes: readonly Uint8Array[];
  readonly shareRoot: Uint8Array;
}

/** What a message says. */
export type MessageBody =
  | { readonly kind: 'request'; readonly item: Item }
  | ({ readonly kind: 'bundle' } & BundleBody)
  | { readonly kind: 'shares'; readonly ciphertext: Uint8Array; readonly sealed: Uint8Array }
  | { readonly kind: 'seed'; readonly attempt: number; readonly seed: Uint8Array }
  | { readonly kind: 'seedShare'; readonly attempt: number; readonly owner: number; readonly share: Uint8Array; readonly path: Uint8Array };

/** A message of one round, which its context names. */
export interface PeerMessage {
  readonly context: Digest;
  readonly body: MessageBody;
}

const root = protobuf.Root.fromJSON(schema);
const Envelope = root.lookupType('schwarm.Envelope');
const itemKinds = ['bundle', 'shares', 'seed', 'seedShare'] as const;

/** Encodes a control message. */
export function encodeMessage(message: PeerMessage): Uint8Array {
  const { kind, ...fields } = message.body;
  const body = message.body.kind === 'request' ? encodeItem(message.body.item) : fields;
  return Envelope.encode(Envelope.fromObject({ version: protocolVersion, context: digestBytes(message.context), [kind]: body })).finish();
}

function encodeItem(item: Item): object {
  return { item: itemKinds.indexOf(item.kind), attempt: 'attempt' in item ? item.attempt : 0, owner: 'owner' in item ? item.owner : 0 };
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
  if (kind === 'seed') return { kind, attempt };
  if (kind === 'seedShare') return { kind, attempt, owner: numberOf(fields, 'owner', maxMembers) };
  return { kind };
}

function decodeBundle(fields: Fields): MessageBody {
  const hashes = fields['seedHashes'];
  if (!Array.isArray(hashes) || hashes.length < 1 || hashes.length > maxAttempts) throw bad(`field seedHashes has not 1 to ${maxAttempts} entries`);
  const seedHashes = hashes.map((hash: unknown) => bytesOf({ hash }, 'hash', 32));
  return { kind: 'bundle', x25519: bytesOf(fields, 'x25519', 32), kem: bytesOf(fields, 'kem', 1184), seedHashes, shareRoot: bytesOf(fields, 'shareRoot', 32) };
}

const bodyDecoders: Readonly<Record<string, (fields: Fields) => MessageBody>> = {
  request: (fields) => ({ kind: 'request', item: decodeItem(fields) }),
  bundle: decodeBundle,
  shares: (fields) => ({ kind: 'shares', ciphertext: bytesOf(fields, 'ciphertext', 0, 1088), sealed: bytesOf(fields, 'sealed', 16, 16_384) }),
  seed: (fields) => ({ kind: 'seed', attempt: numberOf(fields, 'attempt', maxAttempts), seed: bytesOf(fields, 'seed', 32) }),
  seedShare: (fields) => ({
    kind: 'seedShare',
    attempt: numberOf(fields, 'attempt', maxAttempts),
    owner: numberOf(fields, 'owner', maxMembers),
    share: bytesOf(fields, 'share', 33),
    path: bytesOf(fields, 'path', 0, maxPathSizeBytes),
  }),
};

/** Decodes and checks a control message. Throws WIRE_TOO_LARGE, WIRE_VERSION or WIRE_BAD_MESSAGE, and nothing else. */
export function decodeMessage(bytes: Uint8Array): PeerMessage {
  const fields = decodeChecked(Envelope, bytes, { what: 'control message', limitBytes: maxControlSizeBytes });
  const version = numberOf(fields, 'version', 2 ** 32);
  if (version !== protocolVersion) throw wireErrors.WIRE_VERSION({ theirs: version, ours: protocolVersion });
  const context = digest(toHex(bytesOf(fields, 'context', 32)));
  const kinds = Object.keys(bodyDecoders).filter((kind) => fields[kind] !== undefined);
  const kind = kinds[0];
  const decoder = kind === undefined ? undefined : bodyDecoders[kind];
  if (kinds.length !== 1 || kind === undefined || decoder === undefined) throw bad(`${kinds.length} bodies instead of one`);
  return { context, body: decoder((fields[kind] ?? {}) as Fields) };
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
