/** What keeps a member from working in a run, in words for its admin. */

/** Rule R6: the set differs by fewer than `fewest` members from one that was opened; `missing` are names. */
export function setTooClose(fewest: number, missing: readonly string[]): string {
  return `this member takes no part: the same sum was opened before over a list that differs by fewer than ${fewest} members (missing now: ${missing.join(', ') || 'nobody, but others joined'})`;
}

/** Rule R9: the ledger holds transactions that the journal does not know. */
export function roundAbandoned(round: number): string {
  return `round ${round} is left to the others: this peer's folder is older than what it did in that round (a restored snapshot?); it takes part again from the next round`;
}

/** The study's dominance rule; `share` of all training rows. */
export function rowsDominate(share: number): string {
  return `this member holds ${Math.round(100 * share)} % of all training rows, more than the study permits (terms.dominance): the sum would be nearly its own update; it has left the run`;
}

/** This member's state and the voted one are two. */
export function stateDiffers(round: number): string {
  return `round ${round}: this peer computed another state than the one that was voted`;
}

/** Two strikes. */
export function isSuspended(run: number): string {
  return `the others had to go on without this member in two rounds, and wait for it no more: see to its machine and network, then \`schwarm run reinstate ${run}\``;
}
