/** The peer key: Ed25519 (RFC 8032) from a seed of 32 bytes; its public half is the peer id. */
import { createPrivateKey, createPublicKey, sign, verify } from 'node:crypto';
import { privateKeyFromRaw, publicKeyFromRaw } from '@libp2p/crypto/keys';
import type { PrivateKey } from '@libp2p/interface';
import { peerIdFromPublicKey, peerIdFromString } from '@libp2p/peer-id';
import { concat, type PeerId, peerId } from '../common/index.ts';

const pkcs8Prefix = Buffer.from('302e020100300506032b657004220420', 'hex');
const spkiPrefix = Buffer.from('302a300506032b6570032100', 'hex');

function privateKey(seed: Uint8Array): ReturnType<typeof createPrivateKey> {
  return createPrivateKey({ key: Buffer.concat([pkcs8Prefix, seed]), format: 'der', type: 'pkcs8' });
}

function publicBytes(seed: Uint8Array): Uint8Array {
  return new Uint8Array(createPublicKey(privateKey(seed)).export({ format: 'der', type: 'spki' }).subarray(-32));
}

/** The peer id of a seed. */
export function peerIdOfKey(seed: Uint8Array): PeerId {
  return peerId(peerIdFromPublicKey(publicKeyFromRaw(publicBytes(seed))).toString());
}

/** The key in libp2p's form. */
export function libp2pKey(seed: Uint8Array): PrivateKey {
  return privateKeyFromRaw(concat(seed, publicBytes(seed)));
}

/** Ed25519 signature, 64 bytes. */
export function signWithPeerKey(seed: Uint8Array, message: Uint8Array): Uint8Array {
  return new Uint8Array(sign(null, message, privateKey(seed)));
}

/** Whether `signature` over `message` is that of the peer with this id. */
export function verifyPeerSignature(peer: PeerId, message: Uint8Array, signature: Uint8Array): boolean {
  const raw = peerIdFromString(peer).publicKey?.raw;
  if (!raw || signature.length !== 64) return false;
  const key = createPublicKey({ key: Buffer.concat([spkiPrefix, raw]), format: 'der', type: 'spki' });
  return verify(null, message, key, signature);
}
