/** Bounds of the peer room. */

/** Milliseconds between two looks at what is still wanted: the longest that a lost message goes unnoticed. */
export const tickMs = 100;
/** First and longest wait in milliseconds before a request that brought nothing is sent again; it doubles in between. */
export const retryMs = { first: 200, longest: 2_000 } as const;
/** Milliseconds before a transaction that is in a block, but whose fact has not come, is sent again. */
export const postAgainMs = 1_000;
/** Milliseconds for one try to fetch a vector, a state or a study from all holders. */
export const fetchMs = 60_000;
/** States of the newest FINAL rounds of a live run that are kept for a roll-back; with 10 million parameters they take 1.3 GB. */
export const keptStates = 32;
/** Rounds of one run that are kept in memory: the one that runs and the one before it. */
export const liveRounds = 2;
/** Facts of the ledger shown to people at once. */
export const shownFacts = 200;
/** Ledger seconds after n-of-n READY before shares are asked for in place of a silent member's seed. */
export const shareGraceS = 3;
/** Steps over whole vectors that may wait for the bulk thread at once. */
export const maxBulkSteps = 64;
/** Bytes of an opening and of a run's exported facts that are read: the largest text that the engine holds, and 64 members over thousands of rounds. */
export const auditFileSizeBytes = { opening: 536_870_000, facts: 256 * 1024 * 1024 } as const;
/** Named people of one institution. */
export const maxPersons = 256;
/** Training rows below which a member does not approve: its update would be that of a few patients. */
export const fewestTrainingRows = 5;
/** Local data sets of one member. */
export const maxDataSets = 256;
/** Small content kept in memory after it was read (pieces, and bytes of each), and lists of leaf hashes kept for reading by pieces. */
export const keptContent = { pieces: 24, sizeBytes: 1024 * 1024, lists: 128 } as const;
/** Control messages of one member that are read: so many at once, then so many a second. A round of 64 members needs a few hundred of each. */
export const maxMessages = { atOnce: 1_024, perSecond: 256 } as const;
/** Milliseconds between two warnings about dropped messages of one member: what it sends must not fill a disk with log. */
export const warnEveryMs = 1_000;
