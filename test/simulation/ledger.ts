/** The simulated ledger: the contract model behind a chain with its own time, and the port by which each member reaches it. */

import { accountsDigest } from '../../src/aggregation/index.ts';
import { type Account, type Chance, digest, digestOf, fromHex, shuffled, toHex, u32, utf8 } from '../../src/common/index.ts';
import { ledgerErrors } from '../../src/ledger/errors.ts';
import type { Ledger, LedgerEvent, LedgerTransaction, Receipt } from '../../src/ledger/index.ts';
import type { ContractModel } from './contract.ts';
import type { Answer, Call, ModelFact } from './contract-calls.ts';
import type { Access } from './disk.ts';
import type { Events } from './events.ts';

export const chainId = 77;
export const contractAddress = `0x${'c0'.repeat(20)}` as Account;
/** Ledger time of a world's first block. */
export const genesisS = 1_000;

type Statement = Pick<Extract<Call, { kind: 'ready' }>, 'context' | 'members' | 'sum'>;

/** A stand-in for the member's EIP-712 signature: 65 bytes that only `account` is taken to be able to make. */
export function signReady(account: Account, { context, members, sum }: Statement): string {
  const statement = digestOf(utf8('ready'), fromHex(account) ?? u32(0), fromHex(context) ?? u32(0), utf8(accountsDigest(members)), fromHex(sum) ?? u32(0));
  return `${account}${statement}${'00'.repeat(13)}`;
}

/** Who signed; undefined where the signature does not fit. */
export function readySigner(ready: Statement & { readonly signature: string }): Account | undefined {
  const account = ready.signature.slice(0, 42) as Account;
  return ready.signature === signReady(account, ready) ? account : undefined;
}

/** How a chain becomes final. */
export interface ChainWays {
  readonly finalityMs: number;
  /** Chance that a block reorganises what is not final. */
  readonly reorganises: number;
  readonly chance: Chance;
  readonly reorganised: () => void;
}

/** The chain: a block for each call, and one each second. */
export class Chain {
  readonly events: LedgerEvent[] = [];
  readonly model: ContractModel;
  readonly #time: Events;
  readonly #grown: () => void;
  readonly #ways: ChainWays;
  /** Transactions in blocks that are not final, in the order that the chain has now. */
  readonly #unfinal: { readonly finalMs: number; readonly by: Account; readonly call: Call }[] = [];
  #block = 0;
  #stalledUntilMs = 0;

  constructor(time: Events, model: ContractModel, grown: () => void, ways: ChainWays) {
    this.#time = time;
    this.#ways = ways;
    this.model = model;
    this.#grown = grown;
  }

  get timeS(): number {
    return genesisS + Math.floor(this.#time.nowMs / 1000);
  }

  get block(): number {
    return this.#block;
  }

  /** No block before this time. */
  stall(untilMs: number): void {
    this.#stalledUntilMs = Math.max(this.#stalledUntilMs, untilMs);
  }

  /** Milliseconds until the chain takes blocks again. */
  get stalledMs(): number {
    return Math.max(0, this.#stalledUntilMs - this.#time.nowMs);
  }

  begin(): void {
    this.#mine(this.model.begin(this.timeS));
    const tick = (): void => {
      if (this.stalledMs === 0) {
        this.#reorganise();
        this.#settle();
        this.#mine([]);
      }
      if (this.model.live) this.#time.after(1000, tick);
    };
    this.#time.after(1000, tick);
  }

  /** Takes one call into a block: what it came to, or undefined where that is known only once the block is final. */
  take(by: Account, call: Call): Answer | undefined {
    if (this.#ways.finalityMs === 0) return this.#execute(by, call);
    this.#unfinal.push({ finalMs: this.#time.nowMs + this.#ways.finalityMs, by, call });
    return undefined;
  }

  /** Blocks that are old enough are final: only now does anybody see what their transactions did. */
  #settle(): void {
    for (let first = this.#unfinal[0]; first && first.finalMs <= this.#time.nowMs; first = this.#unfinal[0]) {
      this.#unfinal.shift();
      this.#execute(first.by, first.call);
    }
  }

  /** Another branch wins: the same transactions in another order, and perhaps one fewer. Times of finality stay in their order. */
  #reorganise(): void {
    const { reorganises, chance, reorganised } = this.#ways;
    if (this.#unfinal.length < 2 || chance.real() >= reorganises) return;
    const times = this.#unfinal.map(({ finalMs }) => finalMs);
    const order = shuffled(this.#unfinal, chance).slice(chance.below(3) === 0 ? 1 : 0);
    this.#unfinal.splice(0, Number.POSITIVE_INFINITY, ...order.map((one, at) => ({ ...one, finalMs: times[at] ?? one.finalMs })));
    reorganised();
  }

  #execute(by: Account, call: Call): Answer {
    const answer = this.model.call(by, call, this.timeS);
    if ('facts' in answer) this.#mine(answer.facts);
    return answer;
  }

  /** A lying ledger shows a READY that its member never signed. */
  forge(member: number, statement: Statement): void {
    const { round, attempt } = this.model.open;
    const forged = { kind: 'ready', round, attempt, ...statement, signature: `0x${toHex(new Uint8Array(65).fill(member + 1))}` } as const;
    this.#mine(this.model.lie(member, forged, this.timeS));
  }

  #mine(facts: readonly ModelFact[]): void {
    this.#block++;
    const { timeS } = this;
    const transaction = `0x${this.#block.toString(16)}`;
    const place = (at: number) => ({ id: `${this.#block}:${at}`, block: this.#block, timeS, transaction });
    for (const [at, fact] of facts.entries()) this.events.push({ ...place(at), run: 1, ...fact });
    this.#grown();
  }
}

/** What can go wrong on the way to the ledger. Times in milliseconds. */
export interface LedgerWays {
  readonly delayMs: () => number;
  /** Cut off from the chain now. */
  readonly isCutOff: () => boolean;
  readonly loses: () => boolean;
  readonly lost: () => void;
}

function callOf(transaction: LedgerTransaction, account: Account): Call {
  switch (transaction.kind) {
    case 'stopRun':
    case 'leaveRun':
    case 'rejoinRun':
    case 'reinstate':
      return { kind: transaction.kind };
    case 'rollBack':
      return transaction;
    case 'ready':
      return { ...transaction, signature: signReady(account, transaction) };
    case 'join':
    case 'vouch':
    case 'commit':
    case 'have':
    case 'vote':
    case 'advance':
      return transaction;
    default:
      throw new Error(`the simulation has no ${transaction.kind}`);
  }
}

/** One incarnation's ledger. */
export function ledgerPort(chain: Chain, time: Events, account: Account, access: Access, ways: LedgerWays): Ledger {
  const submit = (transaction: LedgerTransaction): Promise<Receipt> => {
    const outcome = Promise.withResolvers<Receipt>();
    outcome.promise.catch(() => undefined);
    const unreachable = (): void => {
      ways.lost();
      time.after(1_500, () => outcome.reject(ledgerErrors.LEDGER_UNREACHABLE({ url: 'simulation', why: 'lost' })));
    };
    const arrive = (): void => {
      if (ways.isCutOff()) return unreachable();
      if (chain.stalledMs > 0) return time.after(chain.stalledMs + ways.delayMs(), arrive);
      const answer = chain.take(account, callOf(transaction, account));
      if (ways.loses()) return unreachable();
      time.after(ways.delayMs(), () => {
        if (answer && 'refused' in answer) outcome.reject(ledgerErrors.LEDGER_REFUSED({ call: transaction.kind, reason: answer.refused }));
        else outcome.resolve({ transaction: '0x', block: chain.block });
      });
    };
    access.act('submit', () => (ways.loses() ? unreachable() : time.after(ways.delayMs(), arrive)));
    return outcome.promise;
  };
  return {
    chainId,
    contract: contractAddress,
    account,
    submit: async (transaction) => await submit(transaction),
    readySigner: (ready) => readySigner(ready),
    sign: async () => digest('0'.repeat(64)),
    batches: () => {
      throw new Error('the world delivers batches itself');
    },
    [Symbol.asyncDispose]: async () => undefined,
  };
}
