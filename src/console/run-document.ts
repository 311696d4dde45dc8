/** A run as the API tells it; the part that commands read. */
export interface RunDocument {
  readonly run: number;
  readonly title: string;
  readonly rounds: number;
  readonly finalRounds: number;
  readonly waiting: {
    readonly round: number;
    readonly phase: string;
    readonly members: readonly string[];
    readonly sinceS: number;
    readonly untilS: number;
  } | null;
  /** Names of members with two strikes. */
  readonly suspended: readonly string[];
  readonly history: readonly { readonly round: number; readonly reason: string | null; readonly rejectedBy: readonly string[] }[];
  readonly figures: readonly {
    readonly round: number;
    readonly meanLoss?: number;
    readonly rows: number;
    readonly steps?: { readonly done: number; readonly asked: number };
  }[];
  readonly outcome: string | null;
  readonly missing: readonly string[];
  readonly model: string | null;
  readonly trouble: string | null;
  readonly exposure: readonly string[];
}
