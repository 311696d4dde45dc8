/** Bounds of the aggregation room. */

/** Bytes of one member's vector: 1.3e8 parameters. Vectors are worked on in slices; a peer needs memory for a few of them (test/README.md has the figure). */
export const maxVectorSizeBytes = 512 * 1024 * 1024;
/** Segments of one plan. */
export const maxSegments = 64;
/** Fewest members in any revealed sum; never configurable below. */
export const fewestMembers = 3;
/** Generations of points in reduce-scatter: a shard that fails twice is summed by everybody for itself. */
export const pointGenerations = 2;
/** Bytes of all masked vectors that one member receives, above which they are summed shard by shard (protocol 3.1). */
export const broadcastLimitBytes = 64 * 1024 * 1024;
