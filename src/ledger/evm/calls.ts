/** What a member may write, as calls of the three contracts. */
import type { Account, PeerId } from '../../common/index.ts';
import { utf8 } from '../../common/index.ts';
import { setToBits } from '../../wire/index.ts';
import { ledgerErrors } from '../errors.ts';
import type { LedgerTransaction } from '../ledger.ts';
import { type ContractName, contracts } from './artifacts.ts';
import { peerKeyOf } from './peer-key.ts';

/** The addresses of one consortium. */
export type Addresses = Readonly<Record<ContractName, Account>>;

/** One contract call, ready to be sent. */
export interface Call {
  readonly name: string;
  readonly contract: ContractName;
  /** Call data in hexadecimal with 0x. */
  readonly data: string;
}

function call(contract: ContractName, name: string, ...args: readonly unknown[]): Call {
  return { name, contract, data: contracts[contract].interface.encodeFunctionData(name, args) };
}

const word = (digest: string): string => `0x${digest}`;

/** Raw key bytes of a peer id. Throws LEDGER_BAD_NAME. */
export function peerKeyFor(id: PeerId): string {
  const key = peerKeyOf(id);
  if (key === undefined) throw ledgerErrors.LEDGER_BAD_NAME({ what: 'peer id', found: id, shape: 'that of an Ed25519 key' });
  return key;
}

/** UTF-8 bytes of a member's name. Throws LEDGER_BAD_NAME where there are none or more than 64. */
export function nameBytes(name: string): Uint8Array {
  const bytes = utf8(name);
  if (bytes.length < 1 || bytes.length > 64)
    throw ledgerErrors.LEDGER_BAD_NAME({ what: 'member name', found: name.slice(0, 100), shape: '1 to 64 bytes of UTF-8' });
  return bytes;
}

/** A label as one word: ASCII, zeros behind. Throws LEDGER_BAD_NAME. */
function labelWord(label: string): Uint8Array {
  if (!/^[\x21-\x7e]{1,31}$/.test(label))
    throw ledgerErrors.LEDGER_BAD_NAME({ what: 'record label', found: label.slice(0, 100), shape: '1 to 31 printable ASCII characters without spaces' });
  const bytes = new Uint8Array(32);
  bytes.set(utf8(label));
  return bytes;
}

/** What a call needs beside the transaction itself. */
interface CallContext {
  /** READY signature, 65 bytes in hexadecimal with 0x. */
  readonly signature: string;
}

type Encoders = {
  readonly [Kind in LedgerTransaction['kind']]: (transaction: Extract<LedgerTransaction, { readonly kind: Kind }>, context: CallContext) => Call;
};

const encoders: Encoders = {
  propose: ({ action }) =>
    action.kind === 'admit'
      ? call('Members', 'proposeAdmit', action.account, peerKeyFor(action.peerId), nameBytes(action.name))
      : call('Members', 'proposeRevoke', action.account),
  voteProposal: (t) => call('Members', 'vote', t.proposal, t.support),
  record: (t) => call('Members', 'record', labelWord(t.label), word(t.subject), word(t.hash)),
  publishStudy: (t) => call('Studies', 'publish', word(t.study), word(t.root), t.sizeBytes),
  decideStudy: (t) => call('Studies', 'decide', word(t.study), t.approved, word(t.dataVersion)),
  startRun: (t) => call('Rounds', 'startRun', word(t.study), t.roster, t.terms, word(t.base), word(t.plan)),
  stopRun: (t) => call('Rounds', 'stopRun', t.run),
  leaveRun: (t) => call('Rounds', 'leaveRun', t.run),
  rejoinRun: (t) => call('Rounds', 'rejoinRun', t.run),
  reinstate: (t) => call('Rounds', 'reinstate', t.run),
  rollBack: (t) => call('Rounds', 'rollBack', t.run, t.keep),
  join: (t) => call('Rounds', 'join', t.run, t.round, word(t.bundle)),
  vouch: (t) => call('Rounds', 'vouch', t.run, t.round, setToBits(t.holds)),
  commit: (t) => call('Rounds', 'commit', t.run, t.round, t.attempt, word(t.root)),
  have: (t) => call('Rounds', 'have', t.run, t.round, t.attempt, setToBits(t.holds)),
  ready: (t, { signature }) => call('Rounds', 'ready', t.run, t.round, t.attempt, word(t.context), word(t.sum), signature),
  vote: (t) => call('Rounds', 'vote', t.run, t.round, t.accept, word(t.state), word(t.model), word(t.nextPlan)),
  advance: (t) => call('Rounds', 'advance', t.run, t.round),
};

/** The contract call for a transaction. */
export function encodeCall(transaction: LedgerTransaction, context: CallContext): Call {
  // The table has an encoder of exactly this kind; the compiler cannot follow the correlation.
  const encode = encoders[transaction.kind] as (transaction: LedgerTransaction, context: CallContext) => Call;
  return encode(transaction, context);
}

/** The contract's reason in words: `WrongPhase(3)`; undefined where the data are no error of this contract. */
export function refusalOf(contract: ContractName, data: string): string | undefined {
  try {
    const error = contracts[contract].interface.parseError(data);
    return error === null ? undefined : `${error.name}(${error.args.map(String).join(', ')})`;
  } catch {
    return undefined;
  }
}
