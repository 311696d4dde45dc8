/** The first half of the contract model: the run, as `contracts/RunBook.sol` has it. The phases of a round are in `contract.ts`. */
import type { Account, Digest } from '../../src/common/index.ts';
import { bitsToSet, type RoundFact, type RunFact, type RunOutcome, setToBits, type VoidReason } from '../../src/wire/index.ts';
import { type Bits, has, need, Pace, type Phase } from './contract-bits.ts';
import type { ModelFact, RunStart } from './contract-calls.ts';

const maxVoids = 3;

/** A FINAL round as roll-back needs it. */
interface Result {
  readonly state: Digest;
  readonly nextPlan: Digest;
  readonly set: Bits;
  readonly round: number;
}

/** What is kept of the run and of its open round, and how a round opens and ends: `RunBook.sol`. */
export abstract class RunModel {
  readonly start: RunStart;
  protected readonly active: Set<Account>;
  protected said: ModelFact[] = [];
  protected timeS = 0;
  protected isLive = true;
  protected number = 0;
  protected finals = 0;
  protected voids = 0;
  protected expected: Bits;
  protected returning: Bits = 0n;
  protected left: Bits = 0n;
  protected struck: Bits = 0n;
  protected suspended: Bits = 0n;
  protected readonly pace: Pace;
  protected readonly results: Result[] = [];
  protected present: Bits = 0n;
  protected lastFinal = 0;
  protected lastVoted: Bits = 0n;
  protected base: Digest;
  protected plan: Digest;
  protected phase: Phase = 'none';
  protected attempt = 0;
  protected tie = false;
  protected sinceS = 0;
  protected deadlineS = 0;
  protected roster: Bits = 0n;
  protected joined: Bits = 0n;
  protected vouched: Bits = 0n;
  protected set: Bits = 0n;
  protected committed: Bits = 0n;
  protected ready: Bits = 0n;
  protected have: Bits = 0n;
  protected voted: Bits = 0n;
  protected rejected: Bits = 0n;
  protected agreed: Bits = 0n;
  protected readonly holds = new Map<number, Bits>();
  protected readonly groups = new Map<string, Bits>();

  constructor(start: RunStart) {
    this.start = start;
    this.active = new Set(start.roster);
    this.pace = new Pace(start.terms);
    this.base = start.base;
    this.plan = start.plan;
    this.expected = setToBits(start.roster.map((_, member) => member));
  }

  protected needStarter(by: Account): void {
    need(this.active.has(by), 'NotActive');
    need(this.isLive, 'RunIsOver');
    need(this.start.starter === by, 'NotStarter');
  }

  protected acting(by: Account): number {
    need(this.isLive, 'RunIsOver');
    return this.memberOf(by);
  }

  protected memberOf(by: Account): number {
    need(this.active.has(by), 'NotActive');
    const member = this.start.roster.indexOf(by);
    need(member >= 0, 'NotInRun');
    need(!has(this.left, member), 'HasLeft');
    return member;
  }

  protected accounts(set: Bits): readonly Account[] {
    return bitsToSet(set).flatMap((member) => this.start.roster[member] ?? []);
  }

  protected say(fact: RunFact): void {
    this.said.push({ scope: 'run', fact });
  }

  protected emit(fact: RoundFact): void {
    this.said.push({ scope: 'round', round: this.number, fact });
  }

  protected learn(): void {
    if (this.finals > 0 && !(this.phase === 'commit' && this.attempt > 0)) this.pace.learn(this.phase, this.timeS - this.sinceS);
  }

  protected strike(members: Bits): void {
    const out = members & ~this.left;
    if (out === 0n) return;
    const second = out & this.struck;
    this.struck |= out;
    this.suspended |= second;
    this.expected &= ~second;
    this.returning &= ~second;
    this.say({ kind: 'struck', members: bitsToSet(out), suspended: bitsToSet(second) });
  }

  protected stillActive(wanted: Bits): Bits {
    return setToBits(bitsToSet(wanted).filter((member) => this.active.has(this.start.roster[member] ?? this.start.starter)));
  }

  protected openRound(base: Digest, plan: Digest): void {
    this.roster = this.stillActive(this.expected & ~this.left & ~this.suspended);
    this.base = base;
    this.plan = plan;
    this.attempt = 0;
    this.joined = 0n;
    this.set = 0n;
    this.vouched = 0n;
    this.voted = 0n;
    this.rejected = 0n;
    this.emit({ kind: 'opened', base, plan, roster: bitsToSet(this.roster), ...this.enter('join') });
  }

  protected closeFinal(state: Digest, model: Digest, nextPlan: Digest): void {
    this.emit({ kind: 'final', attempt: this.attempt, set: bitsToSet(this.set), state, model, nextPlan });
    this.present = this.set;
    this.lastFinal = this.number;
    this.lastVoted = this.voted;
    this.finals += 1;
    this.voids = 0;
    this.struck &= ~this.set;
    this.results.splice(this.finals - 1, this.results.length, { state, nextPlan, set: this.set, round: this.number });
    if (this.finals === this.start.terms.rounds) return this.end('complete');
    this.openNext(this.set, state, nextPlan);
  }

  protected closeVoid(reason: VoidReason): void {
    this.emit({ kind: 'void', attempt: this.attempt, reason });
    this.voids += 1;
    if (this.voids === maxVoids) return this.end('failed');
    this.openNext(reason === 'too-few-joined' ? this.expected : this.expected & this.joined, this.base, this.plan);
  }

  protected openNext(expected: Bits, base: Digest, plan: Digest): void {
    this.expected = expected | this.returning;
    this.returning = 0n;
    this.number += 1;
    this.openRound(base, plan);
  }

  protected rollBack(keep: number): void {
    const result = this.results[keep - 1];
    need(keep >= 1 && keep <= this.finals, 'NoSuchResult');
    if (!result) return;
    this.say({ kind: 'rolledBack', to: result.round });
    this.emit({ kind: 'void', attempt: this.attempt, reason: 'rolled-back' });
    this.finals = keep;
    this.voids = 0;
    this.present = result.set;
    this.lastFinal = result.round;
    this.lastVoted = result.set;
    this.openNext(this.expected, result.state, result.nextPlan);
  }

  protected end(outcome: RunOutcome): void {
    this.isLive = false;
    this.phase = 'none';
    this.say({ kind: 'runEnded', outcome, present: bitsToSet(this.present) });
  }

  protected enter(phase: Phase): { readonly sinceS: number; readonly deadlineS: number } {
    this.phase = phase;
    this.sinceS = this.timeS;
    this.deadlineS = this.timeS + this.pace.limitS(phase);
    return { sinceS: this.sinceS, deadlineS: this.deadlineS };
  }
}
