/** A run as the API tells it; the part that commands read. */
export interface RunDocument {
  readonly run: number;
  readonly title: string;
  readonly rounds: number;
  readonly finalRounds: number;
  readonly waiting: { readonly round: number; readonly phase: string; readonly members: readonly string[]; readonly untilS: number } | null;
  readonly figures: readonly { readonly round: number; readonly meanLoss?: number; readonly rows: number }[];
  readonly outcome: string | null;
  readonly missing: readonly string[];
  readonly model: string | null;
  readonly trouble: string | null;
}
