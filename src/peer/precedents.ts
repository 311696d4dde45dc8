/**
 * What was opened before, and what that means for a run that has not begun (rule R6): its first sum may be too close to one of them, and is refused;
 * later sums are the same again where rows, seed and members are, and people are told which of them would be too close.
 */
import type { GroupTree } from '../aggregation/index.ts';
import type { Account, Digest, StudyId } from '../common/index.ts';
import { differencingRisk, groupsOf, type RoundConfig } from '../round/index.ts';
import type { MemberSet, RunTerms } from '../wire/index.ts';
import type { PeerContext } from './context.ts';
import { peerErrors } from './errors.ts';
import { Releases, type RowsBase } from './releases.ts';

/** A run that somebody means to start; `own` is what this member's rows are. */
export interface IntendedRun {
  readonly study: StudyId;
  readonly roster: readonly Account[];
  readonly terms: RunTerms;
  /** Groups of the whole roster where the study names them. */
  readonly groups?: GroupTree | undefined;
  readonly base: Digest;
  readonly own: RowsBase | undefined;
}

type Context = Pick<PeerContext, 'account' | 'consortium' | 'journal' | 'ledger' | 'network'>;

/** How many sums from the first one on repeat, and who was not in the earlier sum of the one after them, where that makes it too close. */
interface Repeated {
  readonly sums: number;
  readonly without: readonly Account[] | undefined;
}

/** The sums that were opened before, as an intended run would meet them with its whole roster. */
export class Precedents {
  readonly #context: Context;
  readonly #run: IntendedRun;
  readonly #releases: Releases;
  readonly #all: MemberSet;

  constructor(context: Context, run: IntendedRun) {
    this.#context = context;
    this.#run = run;
    this.#releases = new Releases(run, context.journal, run.own);
    this.#all = run.roster.map((_, member) => member);
  }

  /** Throws PEER_SET_TOO_CLOSE where the first sum would open members' values by subtraction. */
  refuseFirst(): void {
    const { base, roster } = this.#run;
    if (!this.#isTooClose(base)) return;
    const before = this.#releases.accounts(base);
    throw peerErrors.PEER_SET_TOO_CLOSE({
      missing: this.#names(this.#releases.missing(base, this.#all)),
      added: this.#names(roster.filter((account) => !before.includes(account))),
    });
  }

  /** One sentence on the rounds that must have the members they had before; undefined where no sum repeats. */
  notice(): string | undefined {
    const { sums, without } = this.#repeated();
    if (sums === 0) return undefined;
    if (without) {
      const names = this.#names(without).join(', ') || 'some of the members';
      return `Round ${sums} of this run was summed before, from the same rows and seed, without ${names}: with ${names} it will be void, for both sums together would show the difference; start a study with another seed instead.`;
    }
    const connected = this.#context.network.connections().map(({ account }) => account);
    const away = this.#run.roster.filter((account) => account !== this.#context.account && !connected.includes(account));
    const first = sums === 1 ? 'first sum of this run was' : `first ${sums} sums of this run were`;
    const now = away.length > 0 ? `; not connected now: ${this.#names(away).join(', ')}` : '';
    return `The ${first} opened before over the same members and rows: one that lacks a member will be void, for both sums together would show that member's values${now}.`;
  }

  /** Follows the earlier sums from state to state, as long as the whole roster was in them. */
  #repeated(): Repeated {
    const { terms, base: first, roster } = this.#run;
    const states = this.#states();
    let base: Digest | undefined = terms.open ? undefined : first;
    for (let sums = 0; ; sums++) {
      if (base === undefined || sums > terms.rounds) return { sums, without: undefined };
      const before = this.#releases.accounts(base);
      if (this.#isTooClose(base)) return { sums, without: roster.filter((account) => !before.includes(account)) };
      if (!this.#wasSummed(base)) return { sums, without: undefined };
      base = states.get(base);
    }
  }

  #isTooClose(base: Digest): boolean {
    return differencingRisk(this.#config(base), { opened: { base, plan: base }, ...this.#named }, this.#all);
  }

  get #named(): { readonly groups?: GroupTree } {
    const { groups } = this.#run;
    return groups ? { groups } : {};
  }

  #wasSummed(base: Digest): boolean {
    const config = this.#config(base);
    const lists = config.earlierReleases.filter(({ open }) => !open).map(({ set }) => set.join());
    return groupsOf(config, this.#named, this.#all).every((group) => lists.includes(group.join()));
  }

  /** The states that earlier runs of this study came to over the same members, by the state before. */
  #states(): ReadonlyMap<Digest, Digest | undefined> {
    const { study, roster } = this.#run;
    const same = [...this.#context.consortium.runs.values()].filter((run) => run.study === study && run.roster.join() === roster.join());
    const rounds = same.flatMap((run) => run.rounds.filter(({ phase, set }) => phase === 'final' && set.length === roster.length));
    return new Map(rounds.map(({ base, state }) => [base, state]));
  }

  #config(base: Digest): RoundConfig {
    const { account, ledger } = this.#context;
    const { study, roster, terms } = this.#run;
    const { chainId, contract } = ledger;
    const earlierReleases = this.#releases.on(base);
    return { chainId, contract, study, run: 0, round: 0, accounts: roster, self: roster.indexOf(account), terms, shareGraceS: 0, earlierReleases };
  }

  #names(accounts: readonly Account[]): readonly string[] {
    return accounts.map((account) => this.#context.consortium.nameOf(account));
  }
}
