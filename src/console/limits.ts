/** Bounds of the console room. */

/** Bytes of a packed study that the API takes. */
export const maxPackageSizeBytes = 80 * 1024 * 1024;
/** Milliseconds that a session of the page lasts without a request. */
export const sessionIdleMs = 8 * 3_600_000;
/** Sessions of the page at one time. */
export const maxSessions = 32;
/** One-time links to the page that are open at one time. */
export const maxLinks = 64;
/** Milliseconds between two looks of a waiting command. */
export const watchMs = 200;
/** Milliseconds in which a peer has to answer a question in full. */
export const answerMs = 60_000;
