/** Runs as people see them, in the API, on the page and in reports. */
import type { Digest } from '../common/index.ts';
import type { RunView } from './consortium.ts';
import type { Leakage } from './leakage.ts';
import type { RoundFigures } from './next-state.ts';
import type { OwnFigures } from './own-figures.ts';

/** What a round waits for: which members, in which phase, until when. */
export interface Waiting {
  readonly round: number;
  readonly phase: string;
  readonly members: readonly string[];
  /** Ledger time in seconds. */
  readonly sinceS: number;
  readonly untilS: number;
}

/** A run as people see it. */
export interface RunStatus {
  readonly view: RunView;
  readonly title: string;
  readonly finalRounds: number;
  readonly waiting: Waiting | undefined;
  readonly figures: readonly (RoundFigures & { readonly round: number })[];
  /** `complete`, `complete n of m`, `failed`, `stopped`, or undefined while it runs. */
  readonly outcome: string | undefined;
  readonly missing: readonly string[];
  readonly model: Digest | undefined;
  /** Why this member does not work in the run, if so. */
  readonly trouble: string | undefined;
  readonly isMember: boolean;
  /** What the others learn of this member's update, in sentences; none before the study is here. */
  readonly exposure: readonly string[];
}

/** A member's own report on a run: its own rows only. */
export interface OwnReport {
  readonly status: RunStatus;
  readonly member: string;
  readonly rows: { readonly train: number; readonly test: number };
  readonly swarm: OwnFigures;
  /** How well this member's training rows can be told from its test rows by the model. */
  readonly leakage: Leakage;
}
