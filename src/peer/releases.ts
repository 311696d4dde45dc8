/**
 * The memory of what was opened (rule R6, and the rule that shared statistics are one sum over one list of members): it outlives rounds, runs and
 * restarts, nothing in it is ever dropped, and it is asked before a member takes part in another sum on the same base.
 */
import { type Account, type Digest, digest, hashFields, toHex } from '../common/index.ts';
import type { Release } from '../round/index.ts';
import type { RunView } from './consortium.ts';
import type { LiveRound } from './live-round.ts';
import type { Journal } from './store/journal.ts';

type Ground = LiveRound['state']['ground'];

/** What this member's rows of a study are: SELECT, columns, split, data version; and whether the study begins with their shared statistics. */
export interface RowsBase {
  readonly rows: Digest;
  readonly hasStatistics: boolean;
}

/**
 * Under what a sum is remembered: everything that it depends on and that members could repeat over another list. Shared statistics depend on the rows
 * alone, in whichever study; an update on the rows and on the state that it started from.
 */
export function releaseKey(own: RowsBase | undefined, isFirst: boolean, base: Digest): Digest {
  if (own === undefined) return base;
  return isFirst && own.hasStatistics ? own.rows : digest(toHex(hashFields('schwarm/release/1', own.rows, base)));
}

/** Lists whose members showed their vectors one by one stand under a key of their own. */
export function openKey(key: Digest): Digest {
  return digest(toHex(hashFields('schwarm/open-release/1', key)));
}

/** Releases as one run sees them: members by their index in it. */
export class Releases {
  readonly #run: Pick<RunView, 'roster' | 'base' | 'terms'>;
  readonly #journal: Journal;
  readonly #statistics: RowsBase | undefined;

  constructor(run: Pick<RunView, 'roster' | 'base' | 'terms'>, journal: Journal, statistics: RowsBase | undefined) {
    this.#run = run;
    this.#journal = journal;
    this.#statistics = statistics;
  }

  /** What was opened on a base before. */
  on(base: Digest): readonly Release[] {
    const key = this.#key(base);
    const summed = this.#journal.releases(key).map((accounts) => ({ base, set: this.#indexes(accounts) }));
    return [...summed, ...this.#journal.releases(openKey(key)).map((accounts) => ({ base, set: this.#indexes(accounts), open: true }))];
  }

  /** Keeps a list that all of it consented to open, in groups each group and what they add up to, before anything leaves; after a restart again, for a crash may have come between. */
  remember({ released, opened }: Ground): void {
    if (!released || !opened) return;
    const key = this.#key(opened.base);
    for (const list of [...(released.groups ?? []), released.set]) {
      const accounts = list.flatMap((member) => this.#run.roster[member] ?? []);
      this.#journal.addRelease(this.#run.terms.open ? openKey(key) : key, accounts);
    }
  }

  /** Accounts that were in an earlier sum on this base and are not in `set`. */
  missing(base: Digest, set: readonly number[]): readonly Account[] {
    const now = set.flatMap((member) => this.#run.roster[member] ?? []);
    return this.accounts(base).filter((account) => !now.includes(account));
  }

  /** All accounts that were in an earlier sum on this base. */
  accounts(base: Digest): readonly Account[] {
    return [...new Set(this.#journal.releases(this.#key(base)).flat())];
  }

  #key(base: Digest): Digest {
    return releaseKey(this.#statistics, base === this.#run.base, base);
  }

  /** Those who are not in this run get numbers beyond its roster, so that they count as a difference. */
  #indexes(accounts: readonly Account[]): readonly number[] {
    return accounts.map((account, at) => (this.#run.roster.includes(account) ? this.#run.roster.indexOf(account) : this.#run.roster.length + at));
  }
}
