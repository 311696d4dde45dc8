/** What the ledger says, folded into one picture: members, proposals, studies, runs. The same facts give the same picture everywhere. */
import type { Account, Digest, PeerId, StudyId } from '../common/index.ts';
import type { ConsortiumFact, LedgerEvent, Member, ProposalAction } from '../ledger/index.ts';
import { type MemberSet, type RoundFact, type RunFact, type RunOutcome, type RunTerms, type VoidReason, withMember } from '../wire/index.ts';

/** A proposal and its votes. */
export interface ProposalView {
  readonly proposal: number;
  readonly by: Account;
  readonly action: ProposalAction;
  readonly votesNeeded: number;
  readonly votes: ReadonlyMap<Account, boolean>;
  readonly done: boolean;
}

/** A study on the ledger and who decided what about it. */
export interface StudyView {
  readonly study: StudyId;
  readonly by: Account;
  readonly root: Digest;
  readonly sizeBytes: number;
  readonly decisions: ReadonlyMap<Account, { readonly approved: boolean; readonly dataVersion: Digest }>;
}

/** One round as the ledger tells it. */
export interface RoundView {
  readonly round: number;
  readonly phase: 'join' | 'share' | 'commit' | 'ready' | 'reveal' | 'final' | 'void';
  readonly base: Digest;
  readonly plan: Digest;
  readonly roster: MemberSet;
  readonly attempt: number;
  /** Members of the newest attempt, or of the roster before one. */
  readonly set: MemberSet;
  /** Who has done what the phase waits for. */
  readonly done: MemberSet;
  /** Who voted against the result. */
  readonly rejected: MemberSet;
  readonly deadlineS: number;
  readonly openedS: number;
  readonly phaseS: number;
  readonly state?: Digest;
  readonly model?: Digest;
  readonly reason?: VoidReason;
}

/** One run as the ledger tells it. */
export interface RunView {
  readonly run: number;
  readonly study: StudyId;
  readonly starter: Account;
  /** Accounts by index. */
  readonly roster: readonly Account[];
  readonly terms: RunTerms;
  readonly base: Digest;
  readonly plan: Digest;
  readonly startedS: number;
  readonly rounds: readonly RoundView[];
  readonly left: MemberSet;
  /** Members with one strike, and those with two, who wait for their own admin. */
  readonly struck: MemberSet;
  readonly suspended: MemberSet;
  readonly outcome?: RunOutcome;
  readonly present?: MemberSet;
}

/** A member's name as the ledger had it, and whether another active member had the same. */
export interface NamedMember {
  readonly name: string;
  readonly isShared: boolean;
}

/** A fact in words for people, with its place. */
export interface FactLine {
  readonly id: string;
  readonly block: number;
  readonly timeS: number;
  readonly transaction: string;
  readonly scope: LedgerEvent['scope'];
  readonly run?: number;
  readonly round?: number;
  readonly fact: ConsortiumFact | RunFact | RoundFact;
}

function withRound(run: RunView, round: RoundView): RunView {
  return { ...run, rounds: [...run.rounds.filter((other) => other.round !== round.round), round].sort((a, b) => a.round - b.round) };
}

function without(set: MemberSet, members: MemberSet): MemberSet {
  return set.filter((member) => !members.includes(member));
}

/** A run before its first round. */
export function startedRun(fact: RunFact & { readonly kind: 'runStarted' }, run: number, startedS: number): RunView {
  return { ...fact, run, startedS, rounds: [], left: [], struck: [], suspended: [] };
}

/** A run after one more fact about it as a whole. */
function runAfter(run: RunView, fact: Exclude<RunFact, { readonly kind: 'runStarted' }>): RunView {
  switch (fact.kind) {
    case 'left':
      return { ...run, left: withMember(run.left, fact.member) };
    case 'struck':
      return { ...run, struck: fact.members.reduce(withMember, run.struck), suspended: fact.suspended.reduce(withMember, run.suspended) };
    case 'reinstated':
      return { ...run, struck: without(run.struck, [fact.member]), suspended: without(run.suspended, [fact.member]) };
    case 'rolledBack':
      return { ...run, rounds: run.rounds.map((round) => (round.round > fact.to && round.phase === 'final' ? undone(round) : round)) };
    case 'runEnded':
      return { ...run, outcome: fact.outcome, present: fact.present };
    case 'rejoined':
      return run;
  }
}

/** A FINAL round that was taken back counts as VOID. */
function undone(round: RoundView): RoundView {
  return { ...round, phase: 'void', reason: 'rolled-back' };
}

/** A round after one more fact. */
function roundAfter(round: RoundView, fact: RoundFact, timeS: number): RoundView {
  const next = (phase: RoundView['phase'], deadlineS: number, change: Partial<RoundView> = {}): RoundView => ({
    ...round,
    done: [],
    ...change,
    phase,
    deadlineS,
    phaseS: timeS,
  });
  switch (fact.kind) {
    case 'opened':
      return round;
    case 'joined':
    case 'vouched':
    case 'committed':
    case 'ready':
      return { ...round, done: withMember(round.done, fact.member) };
    case 'voted':
      return { ...round, done: withMember(round.done, fact.member), rejected: fact.accept ? round.rejected : withMember(round.rejected, fact.member) };
    case 'have':
      return round;
    case 'joinClosed':
      return next('share', fact.deadlineS, { set: fact.joined });
    case 'attemptOpened':
      return next('commit', fact.deadlineS, { set: fact.set, attempt: fact.attempt });
    case 'commitClosed':
      return next('ready', fact.deadlineS);
    case 'readyClosed':
      return next('reveal', fact.deadlineS);
    case 'final':
      return { ...next('final', round.deadlineS, { set: fact.set, done: round.done }), state: fact.state, model: fact.model };
    case 'void':
      return { ...next('void', round.deadlineS), reason: fact.reason };
  }
}

/** The picture and the fold that keeps it. */
export class Consortium {
  readonly members = new Map<Account, Member>();
  readonly proposals = new Map<number, ProposalView>();
  readonly studies = new Map<StudyId, StudyView>();
  readonly runs = new Map<number, RunView>();
  readonly #named = new Map<number, readonly NamedMember[]>();
  readonly #lines: FactLine[] = [];
  readonly #shown: number;
  #facts = 0;

  constructor(shown: number) {
    this.#shown = shown;
  }

  /** The newest facts, newest first. */
  lines(): readonly FactLine[] {
    return [...this.#lines].reverse();
  }

  /** How many facts were folded in. */
  factCount(): number {
    return this.#facts;
  }

  /** Folds in one fact. */
  apply(event: LedgerEvent): void {
    this.#facts++;
    this.#lines.push({ ...event });
    if (this.#lines.length > this.#shown) this.#lines.shift();
    if (event.scope === 'consortium') this.#applyConsortium(event.fact);
    else if (event.scope === 'run') this.#applyRun(event.run, event.fact, event.timeS);
    else this.#applyRound(event.run, event.round, event.fact, event.timeS);
  }

  /** The active members. */
  active(): readonly Member[] {
    return [...this.members.values()].filter((member) => member.active);
  }

  /** Peer ids of the active members with their accounts: who may connect. */
  peers(): ReadonlyMap<PeerId, Account> {
    return new Map(this.active().map((member) => [member.peerId, member.account]));
  }

  /** A member's name, or its account where it has none. */
  nameOf(account: Account): string {
    return this.members.get(account)?.name ?? account;
  }

  /** The members of a roster by the names that the ledger has now. */
  named(roster: readonly Account[]): readonly NamedMember[] {
    const bearers = new Map<string, number>();
    for (const { name } of this.active()) bearers.set(name, (bearers.get(name) ?? 0) + 1);
    return roster.map((account) => ({ name: this.nameOf(account), isShared: (bearers.get(this.nameOf(account)) ?? 0) > 1 }));
  }

  /** The members of a run by the names that the ledger had when it started: the same at every member, whoever is renamed or admitted later. */
  namedAtStart(run: number): readonly NamedMember[] | undefined {
    return this.#named.get(run);
  }

  /** Accounts of the active members that approve a study, ascending: the roster of a run that starts now. */
  approvers(study: StudyId): readonly Account[] {
    const decisions = this.studies.get(study)?.decisions ?? new Map();
    return this.active()
      .map((member) => member.account)
      .filter((account) => decisions.get(account)?.approved === true)
      .sort();
  }

  #applyConsortium(fact: ConsortiumFact): void {
    switch (fact.kind) {
      case 'proposed':
        this.proposals.set(fact.proposal, { ...fact, votes: new Map([[fact.by, true]]), done: false });
        return;
      case 'proposalVoted': {
        const known = this.proposals.get(fact.proposal);
        if (known) this.proposals.set(fact.proposal, { ...known, votes: new Map([...known.votes, [fact.by, fact.support]]) });
        return;
      }
      case 'admitted':
        this.members.set(fact.account, { account: fact.account, peerId: fact.peerId, name: fact.name, active: true });
        this.#close(fact.account, 'admit');
        return;
      case 'revoked': {
        const member = this.members.get(fact.account);
        if (member) this.members.set(fact.account, { ...member, active: false });
        this.#dropApprovals(fact.account);
        this.#close(fact.account, 'revoke');
        return;
      }
      case 'studyPublished':
        if (!this.studies.has(fact.study)) this.studies.set(fact.study, { ...fact, decisions: new Map() });
        return;
      case 'studyDecided': {
        const known = this.studies.get(fact.study);
        if (known)
          this.studies.set(fact.study, {
            ...known,
            decisions: new Map([...known.decisions, [fact.by, { approved: fact.approved, dataVersion: fact.dataVersion }]]),
          });
        return;
      }
      case 'recorded':
        return;
    }
  }

  /** As in the contract: a revoked member's decisions do not come back with a new admission. */
  #dropApprovals(account: Account): void {
    for (const [id, study] of this.studies) this.studies.set(id, { ...study, decisions: new Map([...study.decisions].filter(([by]) => by !== account)) });
  }

  #close(account: Account, kind: ProposalAction['kind']): void {
    for (const [id, proposal] of this.proposals) {
      if (proposal.action.kind === kind && proposal.action.account === account) this.proposals.set(id, { ...proposal, done: true });
    }
  }

  #applyRun(run: number, fact: RunFact, timeS: number): void {
    if (fact.kind === 'runStarted') {
      this.runs.set(run, startedRun(fact, run, timeS));
      this.#named.set(run, this.named(fact.roster));
      return;
    }
    const known = this.runs.get(run);
    if (!known) return;
    this.runs.set(run, runAfter(known, fact));
  }

  #applyRound(run: number, round: number, fact: RoundFact, timeS: number): void {
    const known = this.runs.get(run);
    if (!known) return;
    if (fact.kind === 'opened') {
      const { base, plan, roster, deadlineS } = fact;
      this.runs.set(
        run,
        withRound(known, {
          round,
          phase: 'join',
          base,
          plan,
          roster,
          attempt: 0,
          set: roster,
          done: [],
          rejected: [],
          deadlineS,
          openedS: timeS,
          phaseS: timeS,
        }),
      );
      return;
    }
    const view = known.rounds.find((other) => other.round === round);
    if (!view) return;
    const struck = fact.kind === 'final' ? without(known.struck, fact.set) : known.struck;
    this.runs.set(run, withRound({ ...known, struck }, roundAfter(view, fact, timeS)));
  }
}
