/**
 * wire: what travels and what is signed.
 *
 * Owns the protobuf messages between peers with their limits and versions, the facts that the ledger orders, and the canonical bytes that are signed.
 * Does not own: when a message is due (`round`), how it travels (`network`), how it is computed (`aggregation`).
 * Main path: `facts.ts` (what the ledger says), `messages.ts` (what members of a round say), `hello.ts` (who speaks). Pure.
 */
export {
  bitsToSet,
  type MemberSet,
  namedGroups,
  type RoundFact,
  type RoundKey,
  type RunFact,
  type RunOutcome,
  type RunTerms,
  setToBits,
  type VoidReason,
  withMember,
} from './facts.ts';
export { type Binding, bindingStatement, decodeHello, type Enrolment, encodeHello, enrolmentStatement, type Hello } from './hello.ts';
export { maxAddresses, maxAddressSizeBytes, maxControlSizeBytes, maxHelloSizeBytes, maxNameSizeBytes } from './limits.ts';
export { type BundleBody, decodeMessage, encodeMessage, type Item, type MessageBody, type PeerMessage, type ReceivedMessage } from './messages.ts';
export { commonVersion, protocolVersions } from './versions.ts';
