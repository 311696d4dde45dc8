/**
 * network: members reach each other.
 *
 * Owns connections over libp2p, who may connect (the ledger's members, checked after the handshake and by a hello), control messages without
 * promise, and content fetched by its Merkle root. Does not own: what a message means (`wire`, `round`), who is a member (`ledger`).
 * Main path: `network.ts` (the port) → `libp2p.ts` (the adapter) → `admission.ts`, `content.ts` with `transfer.ts`, `frames.ts`.
 */
export type { AccountSignatureCheck } from './admission.ts';
export { peerIdOfKey, signWithPeerKey, verifyPeerSignature } from './keys.ts';
export { createNetwork, type NetworkParts } from './libp2p.ts';
export type {
  ChunkRange,
  Connection,
  Content,
  ContentReader,
  ContentSink,
  FetchOptions,
  Network,
  NetworkCounters,
  NetworkHandlers,
  NetworkIdentity,
  NetworkOptions,
} from './network.ts';
