/**
 * The memory of what was opened (rule R6, and the rule that shared statistics are one sum over one list of members): it outlives rounds, runs and
 * restarts, and is asked before a member takes part in another sum on the same base.
 */
import type { Account, Digest } from '../common/index.ts';
import type { Release } from '../round/index.ts';
import type { RunView } from './consortium.ts';
import type { LiveRound } from './live-round.ts';
import type { Journal } from './store/journal.ts';

type Ground = LiveRound['state']['ground'];

/** Releases as one run sees them: members by their index in it. */
export class Releases {
  readonly #run: RunView;
  readonly #journal: Journal;
  readonly #statisticsBase: Digest | undefined;

  constructor(run: RunView, journal: Journal, statisticsBase: Digest | undefined) {
    this.#run = run;
    this.#journal = journal;
    this.#statisticsBase = statisticsBase;
  }

  /** What was opened on a base before. */
  on(base: Digest): readonly Release[] {
    return this.#journal.releases(this.#key(base)).map((accounts) => ({ base, set: this.#indexes(accounts) }));
  }

  /** Keeps a release before anything leaves; after a restart again, for a crash may have come between. */
  remember({ released, opened }: Ground): void {
    if (!released || !opened) return;
    const accounts = released.set.flatMap((member) => this.#run.roster[member] ?? []);
    this.#journal.addRelease(this.#key(opened.base), accounts);
  }

  /** A model's base that became FINAL is summed over no more; statistics are remembered for good. */
  settle({ opened }: Ground): void {
    if (opened && this.#key(opened.base) === opened.base) this.#journal.dropReleases(opened.base);
  }

  /** Accounts that were in an earlier sum on this base and are not in `set`. */
  missing(base: Digest, set: readonly number[]): readonly Account[] {
    const now = set.flatMap((member) => this.#run.roster[member] ?? []);
    return [...new Set(this.#journal.releases(this.#key(base)).flat())].filter((account) => !now.includes(account));
  }

  /** Shared statistics do not depend on the model: their base is what they are computed from, in whichever study. */
  #key(base: Digest): Digest {
    return base === this.#run.base && this.#statisticsBase !== undefined ? this.#statisticsBase : base;
  }

  /** Those who are not in this run get numbers beyond its roster, so that they count as a difference. */
  #indexes(accounts: readonly Account[]): readonly number[] {
    return accounts.map((account, at) => (this.#run.roster.includes(account) ? this.#run.roster.indexOf(account) : this.#run.roster.length + at));
  }
}
