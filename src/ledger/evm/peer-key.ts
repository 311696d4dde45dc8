/** Peer ids between their text form and the 32 raw Ed25519 key bytes that the ledger holds (libp2p peer id specification, identity multihash). */
import { decodeBase58, encodeBase58, toBeHex } from 'ethers';
import { type PeerId, peerId } from '../../common/index.ts';

/** Identity multihash (00), 36 bytes (24), protobuf: key type Ed25519 (08 01), 32 bytes of key (12 20). */
const prefix = '0x002408011220';

/** The 32 key bytes in hexadecimal with 0x; undefined where the text is not an Ed25519 peer id. */
export function peerKeyOf(id: PeerId): string | undefined {
  const hex = toBeHex(decodeBase58(id), 38);
  return hex.startsWith(prefix) ? `0x${hex.slice(prefix.length)}` : undefined;
}

/** The text form of a peer with this Ed25519 key, given as 32 bytes in hexadecimal with 0x. */
export function peerIdOfKey(key: string): PeerId {
  return peerId(encodeBase58(`${prefix}${key.slice(2)}`));
}
