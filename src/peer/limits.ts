/** Bounds of the peer room. */

/** Milliseconds between two looks at what is still wanted: the longest that a lost message goes unnoticed. */
export const tickMs = 100;
/** First and longest wait in milliseconds before a request that brought nothing is sent again; it doubles in between. */
export const retryMs = { first: 200, longest: 2_000 } as const;
/** Milliseconds before a transaction that is in a block, but whose fact has not come, is sent again. */
export const postAgainMs = 1_000;
/** Milliseconds for one try to fetch a vector, a state or a study from all holders. */
export const fetchMs = 60_000;
/** Rounds of one run that are kept in memory: the one that runs and the one before it. */
export const liveRounds = 2;
/** Facts of the ledger shown to people at once. */
export const shownFacts = 200;
/** Ledger seconds after n-of-n READY before shares are asked for in place of a silent member's seed. */
export const shareGraceS = 3;
/** Local data sets of one member. */
export const maxDataSets = 256;
