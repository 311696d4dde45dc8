/** Bounds of the sandbox: what a child may send, how long it may be silent, how much of it is kept. */

/** JSON header of one message, in bytes: names and small figures, never bulk. */
export const maxHeaderBytes = 1_048_576;
/** Body of one message, in bytes: a model of 100 million float32 parameters with room to spare. */
export const maxBodyBytes = 536_870_912;
/** Requests to one child that wait for an answer. */
export const maxPendingRequests = 64;
/** A Node child says that it is ready within this time, also on a busy machine. */
export const childStartTimeoutMs = 60_000;
/** Lines of a child's own output that reach the log, and characters of each. */
export const maxLoggedLines = 1_000;
export const maxLoggedLineChars = 500;
/** Last characters of a child's own output that are kept to explain its death. */
export const maxOutputTailChars = 2_000;
