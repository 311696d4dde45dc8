/** Contract logs as facts. Only logs of this version's own contracts get here, so their shape is the artefacts'. */
import type { LogDescription, Result } from 'ethers';
import { type Account, account, type Digest, digest } from '../../common/index.ts';
import { bitsToSet, type RoundFact, type RunFact, type RunOutcome, type RunTerms, type VoidReason } from '../../wire/index.ts';
import type { ConsortiumFact, LedgerEvent, ProposalAction } from '../ledger.ts';
import type { LogAnswer } from './answers.ts';
import { type ContractName, contracts } from './artifacts.ts';
import type { Addresses } from './calls.ts';
import { peerIdOfKey } from './peer-key.ts';

/** The enums of `RoundFacts.sol` in their order there. */
const voidReasons: readonly VoidReason[] = [
  'too-few-joined',
  'too-few-vouched',
  'too-few-left',
  'attempts-used-up',
  'sums-differ',
  'no-agreement',
  'rejected',
  'rolled-back',
];
const outcomes: readonly RunOutcome[] = ['complete', 'failed', 'stopped'];

const text = new TextDecoder('utf-8', { fatal: false });

/** Typed access to an event's arguments by name. */
function fields(args: Result) {
  const of = (name: string): unknown => args.getValue(name);
  return {
    number: (name: string): number => Number(of(name)),
    flag: (name: string): boolean => Boolean(of(name)),
    hex: (name: string): string => String(of(name)),
    digest: (name: string): Digest => digest(String(of(name))),
    account: (name: string): Account => account(String(of(name))),
    set: (name: string): readonly number[] => bitsToSet(BigInt(String(of(name)))),
    /** Bytes that should be UTF-8; what is not becomes U+FFFD, control characters become spaces. */
    text: (name: string): string =>
      text
        .decode(Buffer.from(String(of(name)).slice(2), 'hex'))
        .replaceAll(/\p{Cc}/gu, ' ')
        .trim(),
    label: (name: string): string => text.decode(Buffer.from(String(of(name)).slice(2), 'hex')).replaceAll('\0', ''),
    inner: (name: string): Result => of(name) as Result,
  };
}

type Fields = ReturnType<typeof fields>;

function termsOf(terms: Fields): RunTerms {
  const { number } = terms;
  const [rounds, minMembers, maxAttempts] = [number('rounds'), number('minMembers'), number('maxAttempts')];
  return {
    rounds,
    minMembers,
    maxAttempts,
    joinS: number('joinS'),
    shareS: number('shareS'),
    commitS: number('commitS'),
    readyS: number('readyS'),
    revealS: number('revealS'),
    open: terms.flag('open'),
    groupSize: number('groupSize'),
    protocol: number('protocol'),
  };
}

function actionOf(f: Fields): ProposalAction {
  if (f.number('action') === 1) return { kind: 'revoke', account: f.account('account') };
  return { kind: 'admit', account: f.account('account'), peerId: peerIdOfKey(f.hex('peerKey')), name: f.text('name') };
}

const consortiumFacts: Readonly<Record<string, (f: Fields) => ConsortiumFact>> = {
  Proposed: (f) => ({ kind: 'proposed', proposal: f.number('proposal'), by: f.account('by'), action: actionOf(f), votesNeeded: f.number('votesNeeded') }),
  ProposalVoted: (f) => ({ kind: 'proposalVoted', proposal: f.number('proposal'), by: f.account('by'), support: f.flag('support') }),
  Admitted: (f) => ({ kind: 'admitted', account: f.account('account'), peerId: peerIdOfKey(f.hex('peerKey')), name: f.text('name') }),
  Revoked: (f) => ({ kind: 'revoked', account: f.account('account') }),
  Recorded: (f) => ({ kind: 'recorded', by: f.account('by'), label: f.label('label'), subject: f.digest('subject'), hash: f.digest('hash') }),
  StudyPublished: (f) => ({ kind: 'studyPublished', study: f.digest('study'), by: f.account('by'), root: f.digest('root'), sizeBytes: f.number('sizeBytes') }),
  StudyDecided: (f) => ({
    kind: 'studyDecided',
    study: f.digest('study'),
    by: f.account('by'),
    approved: f.flag('approved'),
    dataVersion: f.digest('dataVersion'),
  }),
};

const runFacts: Readonly<Record<string, (f: Fields) => RunFact>> = {
  RunStarted: (f) => ({
    kind: 'runStarted',
    study: f.digest('study'),
    starter: f.account('starter'),
    roster: f.inner('roster').map((member) => account(String(member))),
    terms: termsOf(fields(f.inner('terms'))),
    base: f.digest('base'),
    plan: f.digest('plan'),
  }),
  Rejoined: (f) => ({ kind: 'rejoined', member: f.number('member') }),
  Left: (f) => ({ kind: 'left', member: f.number('member') }),
  Struck: (f) => ({ kind: 'struck', members: f.set('members'), suspended: f.set('suspended') }),
  Reinstated: (f) => ({ kind: 'reinstated', member: f.number('member') }),
  RolledBack: (f) => ({ kind: 'rolledBack', to: f.number('to') }),
  RunEnded: (f) => ({ kind: 'runEnded', outcome: outcomes[f.number('outcome')] ?? 'failed', present: f.set('present') }),
};

const roundFacts: Readonly<Record<string, (f: Fields, log: LogAnswer) => RoundFact>> = {
  Opened: (f) => ({
    kind: 'opened',
    base: f.digest('base'),
    plan: f.digest('plan'),
    roster: f.set('roster'),
    sinceS: f.number('since'),
    deadlineS: f.number('deadline'),
  }),
  Joined: (f) => ({ kind: 'joined', member: f.number('member'), bundle: f.digest('bundle') }),
  JoinClosed: (f) => ({ kind: 'joinClosed', joined: f.set('joined'), sinceS: f.number('since'), deadlineS: f.number('deadline') }),
  Vouched: (f) => ({ kind: 'vouched', member: f.number('member'), holds: f.set('holds') }),
  AttemptOpened: (f) => ({
    kind: 'attemptOpened',
    attempt: f.number('attempt'),
    set: f.set('set'),
    sinceS: f.number('since'),
    deadlineS: f.number('deadline'),
  }),
  Committed: (f) => ({ kind: 'committed', attempt: f.number('attempt'), member: f.number('member'), root: f.digest('root') }),
  CommitClosed: (f, log) => ({
    kind: 'commitClosed',
    attempt: f.number('attempt'),
    sinceS: f.number('since'),
    deadlineS: f.number('deadline'),
    beacon: digest(log.blockHash),
  }),
  Have: (f) => ({ kind: 'have', attempt: f.number('attempt'), member: f.number('member'), holds: f.set('holds') }),
  Ready: (f) => ({
    kind: 'ready',
    attempt: f.number('attempt'),
    member: f.number('member'),
    context: f.digest('context'),
    sum: f.digest('sum'),
    signature: f.hex('signature'),
  }),
  ReadyClosed: (f) => ({ kind: 'readyClosed', attempt: f.number('attempt'), sum: f.digest('sum'), sinceS: f.number('since'), deadlineS: f.number('deadline') }),
  Voted: (f) => ({
    kind: 'voted',
    member: f.number('member'),
    accept: f.flag('accept'),
    state: f.digest('state'),
    model: f.digest('model'),
    nextPlan: f.digest('nextPlan'),
  }),
  Final: (f) => ({
    kind: 'final',
    attempt: f.number('attempt'),
    set: f.set('set'),
    state: f.digest('state'),
    model: f.digest('model'),
    nextPlan: f.digest('nextPlan'),
  }),
  Void: (f) => ({ kind: 'void', attempt: f.number('attempt'), reason: voidReasons[f.number('reason')] ?? 'no-agreement' }),
};

/** Names of every event that becomes a fact: a test compares them with the contracts. */
export const factEvents: readonly string[] = [...Object.keys(consortiumFacts), ...Object.keys(runFacts), ...Object.keys(roundFacts)];

type Scoped =
  | { readonly scope: 'consortium'; readonly fact: ConsortiumFact }
  | { readonly scope: 'run'; readonly run: number; readonly fact: RunFact }
  | { readonly scope: 'round'; readonly run: number; readonly round: number; readonly fact: RoundFact };

function scoped({ name, args }: LogDescription, log: LogAnswer): Scoped | undefined {
  const f = fields(args);
  const [consortium, run, round] = [consortiumFacts[name], runFacts[name], roundFacts[name]];
  if (consortium !== undefined) return { scope: 'consortium', fact: consortium(f) };
  if (run !== undefined) return { scope: 'run', run: f.number('run'), fact: run(f) };
  if (round !== undefined) return { scope: 'round', run: f.number('run'), round: f.number('round'), fact: round(f, log) };
  return undefined;
}

/** The event of a log, or undefined where it is of no contract or no kind that is known here. `timeS` is its block's timestamp. */
export function decodeLog(log: LogAnswer, timeS: number, addresses: Addresses): LedgerEvent | undefined {
  const name = (Object.keys(addresses) as ContractName[]).find((contract) => addresses[contract] === log.address);
  const description = name === undefined ? null : contracts[name].interface.parseLog(log);
  const event = description === null ? undefined : scoped(description, log);
  if (event === undefined) return undefined;
  return { id: `${log.blockNumber}:${log.logIndex}`, block: log.blockNumber, timeS, transaction: log.transactionHash, ...event };
}
