/** What the peer sends whenever something has changed, as far as the page reads it. */

export interface RunSnapshot {
  readonly run: number;
  readonly study: string;
  readonly title: string;
  readonly starter: string;
  readonly rounds: number;
  readonly finalRounds: number;
  readonly members: readonly { readonly name: string }[];
  readonly newest: {
    readonly round: number;
    readonly phase: string;
    readonly set: readonly number[];
    readonly done: readonly number[];
    readonly phaseS: number;
    readonly deadlineS: number;
  } | null;
  readonly waiting: { readonly phase: string; readonly members: readonly string[]; readonly sinceS: number; readonly untilS: number } | null;
  readonly figures: readonly { readonly round: number; readonly purpose: string; readonly meanLoss?: number; readonly rows: number }[];
  readonly suspended: readonly string[];
  readonly history: readonly { readonly reason: string | null; readonly rejectedBy: readonly string[] }[];
  readonly outcome: string | null;
  readonly missing: readonly string[];
  readonly model: string | null;
  readonly trouble: string | null;
  readonly isMember: boolean;
  readonly open: boolean;
}

export interface Snapshot {
  readonly status: {
    readonly name: string;
    readonly membership: { readonly kind: string; readonly missingVotes?: readonly string[] };
    readonly ledger: { readonly mode: string; readonly chainId: number; readonly block: number; readonly timeS: number; readonly silentS: number };
    readonly counters: { readonly refusedOutsiders: number };
  };
  readonly members: readonly {
    readonly name: string;
    readonly account: string;
    readonly self: boolean;
    readonly active: boolean;
    readonly connected: boolean;
    readonly roundTripMs: number | null;
    /** Versions of the protocol that it speaks, where this peer speaks none of them. */
    readonly otherVersions: readonly number[] | null;
  }[];
  readonly studies: readonly { readonly study: string; readonly publisher: string; readonly decisions: readonly { readonly approved: boolean }[] }[];
  readonly dataSets: readonly { readonly name: string; readonly dataVersion: string; readonly files: number }[];
  readonly runs: readonly RunSnapshot[];
  readonly facts: readonly { readonly id: string; readonly block: number; readonly words: string; readonly run?: number; readonly round?: number }[];
}
