/**
 * common: what every room stands on and that knows no word of the domain.
 *
 * Owns identities, bytes, hashing, the Merkle tree over chunks, the error base, and the interfaces of clock, chance and logger.
 * Does not own: any protocol message, any I/O, any real clock or generator (those arrive as arguments from `peer`).
 * Main path: `ids.ts` and `errors.ts` first, then `hash.ts` and `merkle.ts`. Pure: no I/O, no timers, no `Date`, no `Math.random`.
 */
export { concat, equalBytes, fromHex, ownCopy, ownMemory, toHex, u32, u64, utf8 } from './bytes.ts';
export { type Chance, type FreshBytes, seededChance, shuffled } from './chance.ts';
export type { Clock } from './clock.ts';
export { assert, type Blame, commonErrors, defineErrors, type ErrorEntry, errorOf, errorTable, isSwarmError, SwarmError } from './errors.ts';
export { digestBytes, digestOf, hashFields, hkdf, sha256 } from './hash.ts';
export { type Account, account, type Digest, digest, type PeerId, peerId, type RunId, type StudyId } from './ids.ts';
export { type LogFields, type Logger, silentLogger } from './logger.ts';
export { chunkCount, chunkSizeBytes, leafHash, leavesOf, merklePaths, merkleRoot, merkleVerify, unpackPath } from './merkle.ts';
