/** Bounds of the aggregation room. */

/** Bytes of one member's vector in broadcast mode (protocol 3.1: (n-1)·4·D at most 64 MiB over all members). */
export const maxVectorSizeBytes = 64 * 1024 * 1024;
/** Segments of one plan. */
export const maxSegments = 64;
/** Fewest members in any revealed sum; never configurable below. */
export const fewestMembers = 3;
