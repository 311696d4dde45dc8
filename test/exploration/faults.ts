/** The faults that are explored, and the settings that they stand in. */
import type { Release } from '../../src/round/index.ts';

/** A fault strikes at any point of a round, or not at all. */
export type Fault =
  /** Stops for good. */
  | { readonly kind: 'lost'; readonly member: number }
  /** Crashes, also in the middle of masking, and starts again from its journal. */
  | { readonly kind: 'restarts'; readonly member: number }
  /** Messages between the two are late or lost, each by itself. */
  | { readonly kind: 'link'; readonly member: number; readonly other: number }
  /** Has not the state that the round starts from, until it has. */
  | { readonly kind: 'behind'; readonly member: number }
  /** Byzantine: from some point on it answers nobody. */
  | { readonly kind: 'withholds'; readonly member: number }
  /** Byzantine: signs READY over another sum. */
  | { readonly kind: 'other-sum'; readonly member: number }
  /** Byzantine: votes for another state. */
  | { readonly kind: 'other-vote'; readonly member: number }
  /** Byzantine: asks one member for something that unmasks, whenever it likes. */
  | { readonly kind: 'asks-early'; readonly member: number }
  /** Byzantine: its bundle fits the ledger and cannot be used. */
  | { readonly kind: 'bad-bundle'; readonly member: number }
  /** The ledger counts a READY that its member never signed. */
  | { readonly kind: 'forged-ready' };

/** What is explored. */
export interface Setting {
  readonly members: number;
  readonly faults: readonly Fault[];
  /** Time passes only when nothing else can happen. Otherwise it passes whenever it likes. */
  readonly patient: boolean;
  readonly earlierReleases?: readonly Release[];
}

const byzantine = new Set<Fault['kind']>(['withholds', 'other-sum', 'other-vote', 'asks-early', 'bad-bundle']);

/** Whether what a member with this fault does is no word of the machine's. */
export function isByzantine({ kind }: Fault): boolean {
  return byzantine.has(kind);
}

/** The fault in one word with its place. */
export function faultName(fault: Fault): string {
  if (fault.kind === 'forged-ready') return fault.kind;
  return fault.kind === 'link' ? `link ${fault.member}-${fault.other}` : `${fault.kind} ${fault.member}`;
}
