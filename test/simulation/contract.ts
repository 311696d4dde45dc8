/**
 * A model of `contracts/Rounds.sol` for one run: calls in, facts out, or the name of the refusal. It has no rule that the contract has not;
 * `test/integration/contract-model.test.ts` holds both together over random calls. Sets are bit words, as on the chain.
 */
import type { Account, Digest } from '../../src/common/index.ts';
import { bitsToSet, type MemberSet, setToBits, type VoidReason } from '../../src/wire/index.ts';
import { type Bits, count, has, isWithin, need, one, type Phase, phases, quorum, Refusal, withMember } from './contract-bits.ts';
import type { Answer, Call, ModelFact } from './contract-calls.ts';

import { RunModel } from './contract-run.ts';

/** The model has no blocks: the context of an attempt alone orders its aggregators. */
const noBlock = '0'.repeat(64) as Digest;

type RoundCall = Exclude<Call, { readonly kind: 'stopRun' | 'leaveRun' | 'rejoinRun' | 'reinstate' | 'rollBack' }>;

/** The state of the run and of its open round. `begin` opens round 0. */
export class ContractModel extends RunModel {
  /** Facts of the run's first block. */
  begin(timeS: number): readonly ModelFact[] {
    this.timeS = timeS;
    this.said = [{ scope: 'run', fact: { kind: 'runStarted', ...this.start } }];
    this.openRound(this.start.base, this.start.plan);
    return this.said;
  }

  /** A member's account is revoked: it can act nowhere from now on. */
  revoke(account: Account): void {
    this.active.delete(account);
  }

  /** Whether the run goes on. */
  get live(): boolean {
    return this.isLive;
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
    readonly finals: number;
  } {
    const [joined, set, ready] = [this.joined, this.set, this.ready].map(bitsToSet) as [MemberSet, MemberSet, MemberSet];
    return { live: this.isLive, round: this.number, phase: this.phase, attempt: this.attempt, joined, set, ready, finals: this.finals };
  }

  /** One call in a block of time `timeS`. */
  call(by: Account, call: Call, timeS: number): Answer {
    this.said = [];
    this.timeS = timeS;
    try {
      this.#dispatch(by, call);
      return { facts: this.said };
    } catch (error) {
      if (error instanceof Refusal) return { refused: error.reason };
      throw error;
    }
  }

  /** What only a lying ledger does: takes a READY whose signature was not checked. */
  lie(member: number, call: Extract<Call, { kind: 'ready' }>, timeS: number): readonly ModelFact[] {
    this.said = [];
    this.timeS = timeS;
    this.#takeReady(member, call);
    return this.said;
  }

  #dispatch(by: Account, call: Call): void {
    switch (call.kind) {
      case 'stopRun':
        this.needStarter(by);
        return this.end('stopped');
      case 'rollBack':
        this.needStarter(by);
        return this.rollBack(call.keep);
      case 'leaveRun':
        return this.#leave(this.acting(by));
      case 'rejoinRun': {
        const member = this.acting(by);
        need(!has(this.suspended, member), 'IsSuspended');
        need(!has(this.returning, member), 'AlreadyDone');
        this.returning |= one(member);
        return this.say({ kind: 'rejoined', member });
      }
      case 'reinstate': {
        const member = this.acting(by);
        need(has(this.suspended, member), 'NotSuspended');
        this.suspended &= ~one(member);
        this.struck &= ~one(member);
        return this.say({ kind: 'reinstated', member });
      }
      default:
        return this.#roundCall(by, call);
    }
  }

  #roundCall(by: Account, call: RoundCall): void {
    if (call.kind === 'vote' && this.#isLate(call.round)) return this.#lateVote(by, call);
    const member = this.acting(by);
    need(call.round === this.number, `WrongRound(${this.number})`);
    if ('attempt' in call) need(call.attempt === this.attempt, `WrongAttempt(${this.attempt})`);
    const phase = this.#phaseOf(call);
    if (phase) need(this.phase === phase, `WrongPhase(${phases.indexOf(this.phase)})`);
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
        withMember(this.ready, this.set, member);
        need(call.members.join() === this.accounts(this.set).join(), 'BadSignature');
        return this.#takeReady(member, call);
      case 'vote':
        return this.#vote(member, call);
      case 'advance':
        return this.#advance();
    }
  }

  #phaseOf(call: RoundCall): Phase | undefined {
    const table = { join: 'join', vouch: 'share', commit: 'commit', have: 'ready', ready: 'ready', vote: 'reveal', advance: undefined } as const;
    return table[call.kind];
  }

  #join(member: number, bundle: Digest): void {
    this.joined = withMember(this.joined, this.roster, member);
    this.emit({ kind: 'joined', member, bundle });
    this.#settle();
  }

  #closeJoin(): void {
    this.joined &= ~this.left;
    if (this.start.terms.open) return this.#openAttempt(this.joined, 0);
    this.emit({ kind: 'joinClosed', joined: bitsToSet(this.joined), ...this.enter('share') });
  }

  #vouch(member: number, holds: Bits): void {
    need(has(this.joined, member), 'NotInRound');
    need(isWithin(holds, this.joined), 'NotASubset');
    const [withOwn, before] = [holds | one(member), has(this.vouched, member) ? (this.holds.get(member) ?? 0n) : 0n];
    need(withOwn !== before && isWithin(before, withOwn), 'AlreadyDone');
    this.vouched |= one(member);
    this.holds.set(member, withOwn);
    this.emit({ kind: 'vouched', member, holds: bitsToSet(withOwn) });
    this.#settle();
  }

  #vouchedFor(): Bits {
    const threshold = quorum(count(this.roster));
    return setToBits(bitsToSet(this.joined & ~this.left).filter((member) => this.#heldBy(this.vouched & ~this.left, member) >= threshold));
  }

  #closeShare(set: Bits): void {
    if (count(set) < this.start.terms.minMembers) return this.closeVoid('too-few-vouched');
    this.strike(this.joined & ~set);
    this.#openAttempt(set, 0);
  }

  #heldBy(holders: Bits, member: number): number {
    return bitsToSet(holders).filter((holder) => has(this.holds.get(holder) ?? 0n, member)).length;
  }

  #openAttempt(set: Bits, attempt: number): void {
    this.attempt = attempt;
    this.set = set;
    this.committed = 0n;
    this.ready = 0n;
    this.have = 0n;
    this.agreed = 0n;
    this.tie = false;
    this.emit({ kind: 'attemptOpened', attempt, set: bitsToSet(set), ...this.enter('commit') });
  }

  #commit(member: number, root: Digest): void {
    this.committed = withMember(this.committed, this.set, member);
    this.emit({ kind: 'committed', attempt: this.attempt, member, root });
    this.#settle();
  }

  #takeHave(member: number, holds: Bits): void {
    need(!has(this.ready, member), 'AlreadyDone');
    const have = withMember(this.have, this.set, member);
    need((holds & ~this.set) === 0n, 'NotASubset');
    this.have = have;
    this.holds.set(member, holds | one(member));
    this.emit({ kind: 'have', attempt: this.attempt, member, holds: bitsToSet(holds | one(member)) });
  }

  #takeReady(member: number, { context, sum, signature }: Extract<Call, { kind: 'ready' }>): void {
    this.ready |= one(member);
    this.emit({ kind: 'ready', attempt: this.attempt, member, context, sum, signature });
    this.#countReady(`ready/${this.number}/${this.attempt}/${context}/${sum}`, member);
    if (this.agreed !== this.set) return this.#settle();
    this.learn();
    this.emit({ kind: 'readyClosed', attempt: this.attempt, sum, ...this.enter('reveal') });
  }

  #dropMinority(): void {
    const stay = this.set & ~this.left;
    if (isWithin(stay, this.agreed)) this.#retry(stay, 'too-few-left');
    else if (this.tie) this.closeVoid('sums-differ');
    else this.#retry(this.agreed, 'sums-differ');
  }

  #countReady(statement: string, member: number): void {
    const group = (this.groups.get(statement) ?? 0n) | one(member);
    this.groups.set(statement, group);
    if (count(group) > count(this.agreed)) {
      this.agreed = group;
      this.tie = false;
    } else if (count(group) === count(this.agreed)) this.tie = true;
  }

  #vote(member: number, { accept, state, model, nextPlan }: Extract<Call, { kind: 'vote' }>): void {
    this.voted = withMember(this.voted, this.set, member);
    this.emit({ kind: 'voted', member, accept, state, model, nextPlan });
    const size = count(this.set);
    if (!accept) {
      this.rejected |= one(member);
      return count(this.rejected) > size - quorum(size) ? this.closeVoid('rejected') : this.#settle();
    }
    const ballot = `vote/${this.number}/${state}/${model}/${nextPlan}`;
    const equal = (this.groups.get(ballot) ?? 0n) | one(member);
    this.groups.set(ballot, equal);
    if (count(equal) < quorum(size)) return this.#settle();
    this.learn();
    this.closeFinal(state, model, nextPlan);
  }

  #isLate(number: number): boolean {
    return this.finals > 0 && number === this.lastFinal && (number !== this.number || !this.isLive);
  }

  #lateVote(by: Account, { round, accept, state, model, nextPlan }: Extract<Call, { kind: 'vote' }>): void {
    const member = this.memberOf(by);
    this.lastVoted = withMember(this.lastVoted, this.present, member);
    this.said.push({ scope: 'round', round, fact: { kind: 'voted', member, accept, state, model, nextPlan } });
  }

  #advance(): void {
    if (this.timeS >= this.deadlineS) this.pace.ease(this.phase, this.deadlineS - this.sinceS);
    else need(this.#missing() !== 0n && this.stillActive(this.#missing() & ~this.left) === 0n, 'NotYetExpired');
    switch (this.phase) {
      case 'join':
        return count(this.joined & ~this.left) >= this.start.terms.minMembers ? this.#closeJoin() : this.closeVoid('too-few-joined');
      case 'share':
        return this.#closeShare(this.#vouchedFor() & this.vouched);
      case 'commit':
        return this.#retry(this.committed, 'too-few-left');
      case 'ready':
        return this.#expireReady();
      default:
        return this.closeVoid('no-agreement');
    }
  }

  #settle(): void {
    if ((this.#missing() & ~this.left) !== 0n) return;
    switch (this.phase) {
      case 'join':
        if (count(this.joined & ~this.left) < this.start.terms.minMembers) return;
        this.learn();
        return this.#closeJoin();
      case 'share': {
        const set = this.#vouchedFor();
        if (set !== (this.joined & ~this.left)) return;
        this.learn();
        return this.#closeShare(set);
      }
      case 'commit':
        this.learn();
        if ((this.set & this.left) !== 0n) return this.#retry(this.committed, 'too-few-left');
        return this.emit({ kind: 'commitClosed', attempt: this.attempt, ...this.enter('ready'), beacon: noBlock });
      case 'ready':
        return this.#dropMinority();
      default:
        return this.closeVoid('no-agreement');
    }
  }

  #missing(): Bits {
    switch (this.phase) {
      case 'join':
        return this.roster & ~this.joined;
      case 'share':
        return this.joined & ~this.vouched;
      case 'commit':
        return this.set & ~this.committed;
      default:
        return this.set & ~(this.phase === 'ready' ? this.ready : this.voted);
    }
  }

  #expireReady(): void {
    const heard = this.ready | this.have;
    const waiting = this.have & ~this.ready;
    const rest = bitsToSet(heard).filter((member) => 2 * (count(this.ready) + this.#heldBy(waiting, member)) >= count(heard));
    this.#retry(setToBits(rest) === this.set ? this.ready : setToBits(rest), 'too-few-left');
  }

  #retry(rest: Bits, tooFew: VoidReason): void {
    const set = this.stillActive(rest & ~this.left);
    if (count(set) < this.start.terms.minMembers) return this.closeVoid(tooFew);
    this.strike(this.set & ~set);
    if (this.attempt + 1 >= this.start.terms.maxAttempts) this.closeVoid('attempts-used-up');
    else this.#openAttempt(set, this.attempt + 1);
  }

  #leave(member: number): void {
    this.left |= one(member);
    this.say({ kind: 'left', member });
    if (this.start.roster.length - count(this.left) < this.start.terms.minMembers) this.end('failed');
    else this.#settle();
  }
}
