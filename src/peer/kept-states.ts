/** Round states at one member by their hash: read once, and kept as long as a live round or a roll-back may start from them. */
import type { Digest } from '../common/index.ts';
import type { RoundView, RunView } from './consortium.ts';
import { keptStates, liveRounds } from './limits.ts';
import { type RunState, runStateFrom } from './next-state.ts';
import type { BlobStore } from './store/blobs.ts';

/** FINAL rounds that count, in order. */
const finalsOf = (rounds: readonly RoundView[]): readonly RoundView[] => rounds.filter(({ phase, state }) => phase === 'final' && state !== undefined);

const statesOf = (finals: readonly RoundView[]): readonly Digest[] => finals.flatMap(({ state }) => state ?? []);

/** The states of the newest `keptStates` FINAL rounds and those that the newest rounds start from. */
function windowOf({ base, rounds }: RunView): readonly Digest[] {
  const bases = rounds.length === 0 ? [base] : rounds.slice(-liveRounds).map((round) => round.base);
  return [...statesOf(finalsOf(rounds).slice(-keptStates)), ...bases];
}

/** States that a run needs on disk; of one that is over only the last. */
export function neededStates(run: RunView): readonly Digest[] {
  return run.outcome === undefined ? windowOf(run) : statesOf(finalsOf(run.rounds).slice(-1));
}

/** States of one run. */
export class KeptStates {
  readonly #blobs: BlobStore;
  readonly #keptElsewhere: (state: Digest) => boolean;
  readonly #read = new Map<Digest, RunState>();

  /** `keptElsewhere`: whether another run needs a state; two runs of one study with the same members go through the same ones. */
  constructor(blobs: BlobStore, keptElsewhere: (state: Digest) => boolean = () => false) {
    this.#blobs = blobs;
    this.#keptElsewhere = keptElsewhere;
  }

  /** The state behind a hash, where it is stored here. */
  get(hash: Digest): RunState | undefined {
    const known = this.#read.get(hash);
    if (known) return known;
    const bytes = this.#blobs.get(hash);
    if (!bytes) return undefined;
    const state = runStateFrom(bytes);
    this.#read.set(hash, state);
    return state;
  }

  /** Removes what the run needs no more; `isClosed` where this member's work for it has ended: then only the result stays. */
  forget(run: RunView, isClosed: boolean): void {
    const finals = finalsOf(run.rounds);
    const needed = new Set(isClosed ? statesOf(finals.slice(-1)) : windowOf(run));
    // what is older than the last state that fell out of the window went when it did
    const first = isClosed ? undefined : finals.at(-keptStates - liveRounds);
    const looked = first ? run.rounds.slice(run.rounds.indexOf(first)) : run.rounds;
    for (const state of new Set(looked.flatMap((round) => [round.base, ...(round.state ? [round.state] : [])]))) {
      if (needed.has(state)) continue;
      this.#read.delete(state);
      if (!this.#keptElsewhere(state)) this.#blobs.remove(state);
    }
  }
}
