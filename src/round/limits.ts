/** Bounds of the round room. */

/** Requests of one member that may wait for an answer in one round: a bundle, shares, for each of 8 attempts 6 about shards, a seed, and shares of all others' seeds. */
export const maxAsked = 192;
