/**
 * The abstract ledger: states of the contract model, numbered. A state is the facts that the contract has emitted, in blocks that begin with a change
 * of phase; inside a block their order means nothing to the contract, so states that differ only in it are one state.
 *
 * Time is as coarse as the machine can see it: a phase begins, is half over, is over but for a quarter, is over for everybody. Where a phase begins never depends on how long
 * the one before took (each begins at its own multiple of `phaseS`): only differences between time and deadline are ever looked at.
 */
import type { Account, Digest } from '../../src/common/index.ts';
import type { Input, RoundPost } from '../../src/round/index.ts';
import type { RoundFact, RunTerms } from '../../src/wire/index.ts';
import { ContractModel } from '../simulation/contract.ts';
import type { Call } from '../simulation/contract-calls.ts';
import { canonical, Interned } from './canonical.ts';

const phaseS = 100_000;
/** When time makes a difference: at half of a phase, at three quarters, and once it is over. */
const shares = [0.5, 0.75, 1];

export const terms: RunTerms = {
  rounds: 1,
  minMembers: 3,
  maxAttempts: 2,
  joinS: 100,
  shareS: 100,
  commitS: 100,
  readyS: 100,
  revealS: 100,
  open: false,
  groupSize: 0,
  protocol: 2,
};
/** Shares are asked for once half of the phase is over. */
export const shareGraceS = 50;

/** A fact that the contract emitted; a forged one is never given to a machine, because its signature is not its member's. */
export interface LedgerFact {
  readonly fact: RoundFact;
  readonly forged: boolean;
  /** Equal facts have equal keys. */
  readonly key: string;
}

interface Block {
  readonly opening: readonly Input[];
  readonly facts: readonly LedgerFact[];
}

interface Taken {
  readonly by: number;
  readonly call: Call;
  readonly timeS: number;
  readonly lie: boolean;
}

interface LedgerState {
  readonly calls: readonly Taken[];
  readonly blocks: readonly Block[];
  readonly timeS: number;
  /** How often time moved in the open phase: half over, over but for a quarter, over. */
  readonly ticks: number;
  /** Time has moved in some phase. */
  readonly waited: boolean;
}

const opensBlock = new Set<RoundFact['kind']>(['opened', 'joinClosed', 'attemptOpened', 'commitClosed', 'readyClosed', 'final', 'void']);

/** All states of the contract that were met. */
export class Ledger {
  readonly accounts: readonly Account[];
  readonly #base: Digest;
  readonly #plan: Digest;
  readonly #terms: RunTerms;
  readonly #states = new Interned<LedgerState>();
  readonly #next = new Map<string, number | undefined>();

  constructor(accounts: readonly Account[], base: Digest, plan: Digest, runTerms: RunTerms) {
    this.accounts = accounts;
    this.#base = base;
    this.#plan = plan;
    this.#terms = runTerms;
  }

  get size(): number {
    return this.#states.size;
  }

  /** The round has been opened. */
  start(): number {
    const facts = roundFacts(this.#model([]).opened);
    return this.#intern(grown({ calls: [], blocks: [], timeS: phaseS, ticks: 0, waited: false }, facts, false, phaseS));
  }

  blocks(id: number): readonly Block[] {
    return this.#states.get(id).blocks;
  }

  /** The time, where it has moved since the open phase began. */
  time(id: number): Input | undefined {
    const { ticks, timeS } = this.#states.get(id);
    return ticks > 0 ? { kind: 'time', timeS } : undefined;
  }

  /** Whether time moved in some phase before it was over. */
  waited(id: number): boolean {
    return this.#states.get(id).waited;
  }

  /** Everything that was emitted, in order. */
  facts(id: number): readonly LedgerFact[] {
    return this.blocks(id).flatMap(({ opening, facts }) => [
      ...opening.flatMap((input) => (input.kind === 'fact' ? [ledgerFact(input.fact, false)] : [])),
      ...facts,
    ]);
  }

  /** How the round ended; undefined while it is open. */
  end(id: number): (RoundFact & { readonly kind: 'final' | 'void' }) | undefined {
    const [first] = this.blocks(id).at(-1)?.opening ?? [];
    return first?.kind === 'fact' && (first.fact.kind === 'final' || first.fact.kind === 'void') ? first.fact : undefined;
  }

  /** Half of the phase is over, then all of it; undefined where time makes no difference any more. */
  tick(id: number): number | undefined {
    const key = `${id}/time`;
    if (!this.#next.has(key)) this.#next.set(key, this.#later(id));
    return this.#next.get(key);
  }

  #later(id: number): number | undefined {
    const state = this.#states.get(id);
    const [first, begun] = state.blocks.at(-1)?.opening ?? [];
    if (state.ticks === shares.length || this.end(id) || first?.kind !== 'fact' || !('deadlineS' in first.fact) || begun?.kind !== 'time') return undefined;
    const lastsS = first.fact.deadlineS - begun.timeS;
    const share = shares[state.ticks] ?? 1;
    const timeS = begun.timeS + Math.ceil(share * lastsS) + (share === 1 ? this.accounts.length + 2 : 0);
    return this.#intern({ ...state, timeS, ticks: state.ticks + 1, waited: true });
  }

  /** The state after a member's transaction; undefined where the contract refuses it. */
  post(id: number, by: number, post: RoundPost): number | undefined {
    const call = { ...post, round: 0, ...(post.kind === 'ready' ? { signature: '' } : {}) } as Call;
    return this.#after(id, { by, call, lie: false });
  }

  /** What only a lying ledger does: it counts a READY that its member never signed. */
  forge(id: number, victim: number, call: Extract<Call, { readonly kind: 'ready' }>): number | undefined {
    return this.#after(id, { by: victim, call, lie: true });
  }

  #after(id: number, next: Omit<Taken, 'timeS'>): number | undefined {
    const key = `${id}/${next.by}/${next.lie}/${JSON.stringify(next.call)}`;
    if (!this.#next.has(key)) this.#next.set(key, this.#compute(this.#states.get(id), next));
    return this.#next.get(key);
  }

  #compute(state: LedgerState, next: Omit<Taken, 'timeS'>): number | undefined {
    if (this.#end(state)) return undefined;
    const closingS = state.calls.length === 0 ? 2 * phaseS : Math.ceil((state.timeS + 1) / phaseS) * phaseS;
    const now = this.#try(state, { ...next, timeS: state.timeS });
    if (now === undefined) return undefined;
    const closes = now.some((fact) => opensBlock.has(fact.kind));
    const taken = { ...next, timeS: closes ? closingS : state.timeS };
    const facts = closes ? this.#try(state, taken) : now;
    return facts && this.#intern(grown({ ...state, calls: [...state.calls, taken] }, facts, next.lie, taken.timeS));
  }

  #end(state: LedgerState): boolean {
    const [first] = state.blocks.at(-1)?.opening ?? [];
    return first?.kind === 'fact' && (first.fact.kind === 'final' || first.fact.kind === 'void');
  }

  #try(state: LedgerState, taken: Taken): readonly RoundFact[] | undefined {
    const { model } = this.#model(state.calls);
    return apply(model, this.accounts, taken);
  }

  #model(calls: readonly Taken[]) {
    const [study, starter] = [this.#base, this.accounts[0] as Account];
    const model = new ContractModel({ study, starter, roster: this.accounts, terms: this.#terms, base: this.#base, plan: this.#plan });
    const opened = model.begin(phaseS);
    for (const call of calls) apply(model, this.accounts, call);
    return { model, opened };
  }

  #intern(state: LedgerState): number {
    const blocks = state.blocks.map(({ opening, facts }) => [JSON.stringify(opening), ...facts.map(({ key }) => key).sort()].join());
    return this.#states.add(`${state.ticks}\n${blocks.join('\n')}`, () => state);
  }
}

function apply(model: ContractModel, accounts: readonly Account[], { by, call, timeS, lie }: Taken): readonly RoundFact[] | undefined {
  if (lie) return roundFacts(model.lie(by, call as Extract<Call, { kind: 'ready' }>, timeS));
  const answer = model.call(accounts[by] as Account, call, timeS);
  return 'facts' in answer ? roundFacts(answer.facts) : undefined;
}

function roundFacts(facts: readonly { readonly scope: string; readonly round?: number; readonly fact: unknown }[]): readonly RoundFact[] {
  return facts.filter(({ scope, round }) => scope === 'round' && round === 0).map(({ fact }) => fact as RoundFact);
}

function ledgerFact(fact: RoundFact, forged: boolean): LedgerFact {
  return { fact, forged, key: `${forged}${canonical(fact)}` };
}

function grown(state: LedgerState, facts: readonly RoundFact[], lie: boolean, timeS: number): LedgerState {
  let { blocks, ticks } = state;
  for (const fact of facts) {
    if (opensBlock.has(fact.kind)) {
      ticks = 0;
      const opening: Input[] = [
        { kind: 'fact', fact },
        { kind: 'time', timeS },
      ];
      blocks = [...blocks, { opening, facts: [] }];
    } else {
      const last = blocks.at(-1) as Block;
      blocks = [...blocks.slice(0, -1), { ...last, facts: [...last.facts, ledgerFact(fact, lie && fact.kind === 'ready')] }];
    }
  }
  return { ...state, blocks, ticks, timeS };
}
