/** Bounds of the round room. */

/** Requests of one member that may wait for an answer in one round: a bundle, shares, a seed, and shares of a few silent members. */
export const maxAsked = 70;
