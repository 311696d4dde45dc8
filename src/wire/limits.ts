/** Bounds on everything that a remote peer sends, checked before it is decoded. */

/** Bytes of one control message (protocol 4, line 15). */
export const maxControlSizeBytes = 65_536;
/** Bytes of one hello. */
export const maxHelloSizeBytes = 4_096;
/** Protocol versions that a hello may list. */
export const maxVersions = 16;
/** Bytes of a member's name in UTF-8. */
export const maxNameSizeBytes = 64;
/** Addresses that an enrolment or a peer's configuration may list, and bytes of each. */
export const maxAddresses = 16;
export const maxAddressSizeBytes = 256;
/** Attempts of a round, as in the contract. */
export const maxAttempts = 8;
/** Members of a run, as in the contract. */
export const maxMembers = 128;
/** Bytes of a packed Merkle path: 32 levels. */
export const maxPathSizeBytes = 32 * 32;
/** Generations of fingerprint points in an attempt. */
export const maxGenerations = 2;
