/**
 * A model of `contracts/Rounds.sol` for one run: calls in, facts out, or the name of the refusal. It has no rule that the contract has not;
 * `test/integration/contract-model.test.ts` holds both together over random calls. Sets are bit words, as on the chain.
 */
import type { Account, Digest } from '../../src/common/index.ts';
import { bitsToSet, type MemberSet, type RoundFact, type RunFact, type RunOutcome, setToBits, type VoidReason } from '../../src/wire/index.ts';
import type { Answer, Call, ModelFact, RunStart } from './contract-calls.ts';

const maxVoids = 3;
const phases = ['none', 'join', 'share', 'commit', 'ready', 'reveal'] as const;
type Phase = (typeof phases)[number];
type Bits = bigint;
type RoundCall = Exclude<Call, { readonly kind: 'stopRun' | 'leaveRun' | 'rejoinRun' }>;

const one = (member: number): Bits => 1n << BigInt(member);
const has = (set: Bits, member: number): boolean => (set & one(member)) !== 0n;
const count = (set: Bits): number => {
  let size = 0;
  for (let rest = set; rest !== 0n; rest &= rest - 1n) size++;
  return size;
};
const quorum = (size: number): number => Math.floor((2 * size) / 3) + 1;

/** Ends a call without effect, as `revert` does. */
class Refusal {
  readonly reason: string;
  constructor(reason: string) {
    this.reason = reason;
  }
}

function need(condition: boolean, reason: string): void {
  if (!condition) throw new Refusal(reason);
}

function withMember(done: Bits, allowed: Bits, member: number): Bits {
  need(has(allowed, member), 'NotInRound');
  need(!has(done, member), 'AlreadyDone');
  return done | one(member);
}

/** The state of the run and of its open round. `start` opens round 0. */
export class ContractModel {
  readonly start: RunStart;
  readonly #active: Set<Account>;
  #facts: ModelFact[] = [];
  #timeS = 0;
  #live = true;
  #number = 0;
  #finals = 0;
  #voids = 0;
  #expected: Bits;
  #returning: Bits = 0n;
  #left: Bits = 0n;
  #present: Bits = 0n;
  #lastFinal = 0;
  #lastVoted: Bits = 0n;
  #base: Digest;
  #plan: Digest;
  #phase: Phase = 'none';
  #attempt = 0;
  #tie = false;
  #deadlineS = 0;
  #roster: Bits = 0n;
  #joined: Bits = 0n;
  #vouched: Bits = 0n;
  #set: Bits = 0n;
  #committed: Bits = 0n;
  #ready: Bits = 0n;
  #have: Bits = 0n;
  #voted: Bits = 0n;
  #agreed: Bits = 0n;
  readonly #holds = new Map<number, Bits>();
  readonly #groups = new Map<string, Bits>();

  constructor(start: RunStart) {
    this.start = start;
    this.#active = new Set(start.roster);
    this.#base = start.base;
    this.#plan = start.plan;
    this.#expected = setToBits(start.roster.map((_, member) => member));
  }

  /** Facts of the run's first block. */
  begin(timeS: number): readonly ModelFact[] {
    this.#timeS = timeS;
    this.#facts = [{ scope: 'run', fact: { kind: 'runStarted', ...this.start } }];
    this.#openRound(this.start.base, this.start.plan);
    return this.#facts;
  }

  /** A member's account is revoked: it can act nowhere from now on. */
  revoke(account: Account): void {
    this.#active.delete(account);
  }

  /** Whether the run goes on. */
  get live(): boolean {
    return this.#live;
  }

  /** What is open, for those who build on the model. */
  get open(): {
    readonly live: boolean;
    readonly round: number;
    readonly phase: Phase;
    readonly attempt: number;
    readonly joined: MemberSet;
    readonly set: MemberSet;
    readonly ready: MemberSet;
  } {
    const [joined, set, ready] = [this.#joined, this.#set, this.#ready].map(bitsToSet) as [MemberSet, MemberSet, MemberSet];
    return { live: this.#live, round: this.#number, phase: this.#phase, attempt: this.#attempt, joined, set, ready };
  }

  /** One call in a block of time `timeS`. */
  call(by: Account, call: Call, timeS: number): Answer {
    this.#facts = [];
    this.#timeS = timeS;
    try {
      this.#dispatch(by, call);
      return { facts: this.#facts };
    } catch (error) {
      if (error instanceof Refusal) return { refused: error.reason };
      throw error;
    }
  }

  /** What only a lying ledger does: takes a READY whose signature was not checked. */
  lie(member: number, call: Extract<Call, { kind: 'ready' }>, timeS: number): readonly ModelFact[] {
    this.#facts = [];
    this.#timeS = timeS;
    this.#takeReady(member, call);
    return this.#facts;
  }

  #dispatch(by: Account, call: Call): void {
    switch (call.kind) {
      case 'stopRun':
        need(this.#active.has(by), 'NotActive');
        need(this.#live, 'RunIsOver');
        need(this.start.starter === by, 'NotStarter');
        return this.#end('stopped');
      case 'leaveRun':
        return this.#leave(this.#acting(by));
      case 'rejoinRun': {
        const member = this.#acting(by);
        need(!has(this.#returning, member), 'AlreadyDone');
        this.#returning |= one(member);
        return this.#say({ kind: 'rejoined', member });
      }
      default:
        return this.#roundCall(by, call);
    }
  }

  #roundCall(by: Account, call: RoundCall): void {
    if (call.kind === 'vote' && this.#isLate(call.round)) return this.#lateVote(by, call);
    const member = this.#acting(by);
    need(call.round === this.#number, `WrongRound(${this.#number})`);
    if ('attempt' in call) need(call.attempt === this.#attempt, `WrongAttempt(${this.#attempt})`);
    const phase = this.#phaseOf(call);
    if (phase) need(this.#phase === phase, `WrongPhase(${phases.indexOf(this.#phase)})`);
    switch (call.kind) {
      case 'join':
        return this.#join(member, call.bundle);
      case 'vouch':
        return this.#vouch(member, setToBits(call.holds));
      case 'commit':
        return this.#commit(member, call.root);
      case 'have':
        return this.#takeHave(member, setToBits(call.holds));
      case 'ready':
        withMember(this.#ready, this.#set, member);
        need(call.members.join() === this.#accounts(this.#set).join(), 'BadSignature');
        return this.#takeReady(member, call);
      case 'vote':
        return this.#vote(member, call);
      case 'advance':
        need(this.#timeS >= this.#deadlineS, 'NotYetExpired');
        return this.#advance();
    }
  }

  #phaseOf(call: RoundCall): Phase | undefined {
    const table = { join: 'join', vouch: 'share', commit: 'commit', have: 'ready', ready: 'ready', vote: 'reveal', advance: undefined } as const;
    return table[call.kind];
  }

  #acting(by: Account): number {
    need(this.#live, 'RunIsOver');
    return this.#memberOf(by);
  }

  #memberOf(by: Account): number {
    need(this.#active.has(by), 'NotActive');
    const member = this.start.roster.indexOf(by);
    need(member >= 0, 'NotInRun');
    need(!has(this.#left, member), 'HasLeft');
    return member;
  }

  #accounts(set: Bits): readonly Account[] {
    return bitsToSet(set).flatMap((member) => this.start.roster[member] ?? []);
  }

  #say(fact: RunFact): void {
    this.#facts.push({ scope: 'run', fact });
  }

  #emit(fact: RoundFact): void {
    this.#facts.push({ scope: 'round', round: this.#number, fact });
  }

  #join(member: number, bundle: Digest): void {
    this.#joined = withMember(this.#joined, this.#roster, member);
    this.#emit({ kind: 'joined', member, bundle });
    if (this.#joined === this.#roster && count(this.#joined) >= this.start.terms.minMembers) this.#closeJoin();
  }

  #closeJoin(): void {
    this.#enter('share', this.start.terms.shareS);
    this.#emit({ kind: 'joinClosed', joined: bitsToSet(this.#joined), deadlineS: this.#deadlineS });
  }

  #vouch(member: number, holds: Bits): void {
    const vouched = withMember(this.#vouched, this.#joined, member);
    need((holds & ~this.#joined) === 0n, 'NotASubset');
    this.#vouched = vouched;
    this.#holds.set(member, holds | one(member));
    this.#emit({ kind: 'vouched', member, holds: bitsToSet(holds | one(member)) });
    if (this.#vouched === this.#joined) this.#closeShare();
  }

  #closeShare(): void {
    const threshold = quorum(count(this.#roster));
    const set = bitsToSet(this.#joined).filter((member) => this.#heldBy(this.#vouched, member) >= threshold);
    if (set.length < this.start.terms.minMembers) this.#closeVoid('too-few-vouched');
    else this.#openAttempt(setToBits(set), 0);
  }

  #heldBy(holders: Bits, member: number): number {
    return bitsToSet(holders).filter((holder) => has(this.#holds.get(holder) ?? 0n, member)).length;
  }

  #openAttempt(set: Bits, attempt: number): void {
    this.#enter('commit', this.start.terms.commitS);
    this.#attempt = attempt;
    this.#set = set;
    this.#committed = 0n;
    this.#ready = 0n;
    this.#have = 0n;
    this.#agreed = 0n;
    this.#tie = false;
    this.#emit({ kind: 'attemptOpened', attempt, set: bitsToSet(set), deadlineS: this.#deadlineS });
  }

  #commit(member: number, root: Digest): void {
    this.#committed = withMember(this.#committed, this.#set, member);
    this.#emit({ kind: 'committed', attempt: this.#attempt, member, root });
    if (this.#committed !== this.#set) return;
    this.#enter('ready', this.start.terms.readyS);
    this.#emit({ kind: 'commitClosed', attempt: this.#attempt, deadlineS: this.#deadlineS });
  }

  #takeHave(member: number, holds: Bits): void {
    need(!has(this.#ready, member), 'AlreadyDone');
    const have = withMember(this.#have, this.#set, member);
    need((holds & ~this.#set) === 0n, 'NotASubset');
    this.#have = have;
    this.#holds.set(member, holds | one(member));
    this.#emit({ kind: 'have', attempt: this.#attempt, member, holds: bitsToSet(holds | one(member)) });
  }

  #takeReady(member: number, { context, sum, signature }: Extract<Call, { kind: 'ready' }>): void {
    this.#ready |= one(member);
    this.#emit({ kind: 'ready', attempt: this.#attempt, member, context, sum, signature });
    this.#countReady(`ready/${this.#number}/${this.#attempt}/${context}/${sum}`, member);
    if (this.#ready !== this.#set) return;
    if (this.#agreed === this.#set) {
      this.#enter('reveal', this.start.terms.revealS);
      this.#emit({ kind: 'readyClosed', attempt: this.#attempt, sum, deadlineS: this.#deadlineS });
    } else if (this.#tie) this.#closeVoid('sums-differ');
    else this.#retry(this.#agreed, 'sums-differ');
  }

  #countReady(statement: string, member: number): void {
    const group = (this.#groups.get(statement) ?? 0n) | one(member);
    this.#groups.set(statement, group);
    if (count(group) > count(this.#agreed)) {
      this.#agreed = group;
      this.#tie = false;
    } else if (count(group) === count(this.#agreed)) this.#tie = true;
  }

  #vote(member: number, { state, model, nextPlan }: Extract<Call, { kind: 'vote' }>): void {
    this.#voted = withMember(this.#voted, this.#set, member);
    this.#emit({ kind: 'voted', member, state, model, nextPlan });
    const ballot = `vote/${this.#number}/${state}/${model}/${nextPlan}`;
    const equal = (this.#groups.get(ballot) ?? 0n) | one(member);
    this.#groups.set(ballot, equal);
    if (count(equal) >= quorum(count(this.#set))) this.#closeFinal(state, model, nextPlan);
  }

  #isLate(number: number): boolean {
    return this.#finals > 0 && number === this.#lastFinal && (number !== this.#number || !this.#live);
  }

  #lateVote(by: Account, { round, state, model, nextPlan }: Extract<Call, { kind: 'vote' }>): void {
    const member = this.#memberOf(by);
    this.#lastVoted = withMember(this.#lastVoted, this.#present, member);
    this.#facts.push({ scope: 'round', round, fact: { kind: 'voted', member, state, model, nextPlan } });
  }

  #advance(): void {
    switch (this.#phase) {
      case 'join':
        return count(this.#joined) >= this.start.terms.minMembers ? this.#closeJoin() : this.#closeVoid('too-few-joined');
      case 'share':
        return this.#closeShare();
      case 'commit':
        return this.#retry(this.#committed, 'too-few-left');
      case 'ready':
        return this.#expireReady();
      default:
        return this.#closeVoid('no-agreement');
    }
  }

  #expireReady(): void {
    const heard = this.#ready | this.#have;
    const waiting = this.#have & ~this.#ready;
    const rest = bitsToSet(heard).filter((member) => 2 * (count(this.#ready) + this.#heldBy(waiting, member)) >= count(heard));
    this.#retry(setToBits(rest) === this.#set ? this.#ready : setToBits(rest), 'too-few-left');
  }

  #retry(rest: Bits, tooFew: VoidReason): void {
    if (count(rest) < this.start.terms.minMembers) this.#closeVoid(tooFew);
    else if (this.#attempt + 1 >= this.start.terms.maxAttempts) this.#closeVoid('attempts-used-up');
    else this.#openAttempt(rest, this.#attempt + 1);
  }

  #openRound(base: Digest, plan: Digest): void {
    const wanted = this.#expected & ~this.#left;
    this.#roster = setToBits(bitsToSet(wanted).filter((member) => this.#active.has(this.start.roster[member] ?? this.start.starter)));
    this.#base = base;
    this.#plan = plan;
    this.#attempt = 0;
    this.#joined = 0n;
    this.#set = 0n;
    this.#vouched = 0n;
    this.#voted = 0n;
    this.#enter('join', this.start.terms.joinS);
    this.#emit({ kind: 'opened', base, plan, roster: bitsToSet(this.#roster), deadlineS: this.#deadlineS });
  }

  #closeFinal(state: Digest, model: Digest, nextPlan: Digest): void {
    this.#emit({ kind: 'final', attempt: this.#attempt, set: bitsToSet(this.#set), state, model, nextPlan });
    this.#present = this.#set;
    this.#lastFinal = this.#number;
    this.#lastVoted = this.#voted;
    this.#finals += 1;
    this.#voids = 0;
    this.#expected = this.#set | this.#returning;
    this.#returning = 0n;
    if (this.#finals === this.start.terms.rounds) return this.#end('complete');
    this.#number += 1;
    this.#openRound(state, nextPlan);
  }

  #closeVoid(reason: VoidReason): void {
    this.#emit({ kind: 'void', attempt: this.#attempt, reason });
    this.#voids += 1;
    this.#expected = (this.#expected & this.#joined) | this.#returning;
    this.#returning = 0n;
    if (this.#voids === maxVoids) return this.#end('failed');
    this.#number += 1;
    this.#openRound(this.#base, this.#plan);
  }

  #leave(member: number): void {
    this.#left |= one(member);
    this.#say({ kind: 'left', member });
    if (this.start.roster.length - count(this.#left) < this.start.terms.minMembers) this.#end('failed');
  }

  #end(outcome: RunOutcome): void {
    this.#live = false;
    this.#phase = 'none';
    this.#say({ kind: 'runEnded', outcome, present: bitsToSet(this.#present) });
  }

  #enter(phase: Phase, seconds: number): void {
    this.#phase = phase;
    this.#deadlineS = this.#timeS + seconds;
  }
}
