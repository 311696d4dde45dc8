/**
 * The simulation's contract model against the real contract on the embedded engine: the same random calls, sensible and senseless, must give the same
 * facts or the same refusal. Otherwise the simulation would prove things about a fiction.
 */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Account, type Chance, isSwarmError, seededChance } from '../../src/common/index.ts';
import { freshAccountKey, type LedgerTransaction } from '../../src/ledger/index.ts';
import type { RoundFact, RunFact } from '../../src/wire/index.ts';
import { ContractModel } from '../simulation/contract.ts';
import type { Call, ModelFact, RunStart } from '../simulation/contract-calls.ts';
import { base, Consortium, context, named, plan, Run, study } from '../support/ledger.ts';

const members = 5;
const callsPerRun = 140;
const runs = 14;
const terms = { rounds: 4, minMembers: 3, maxAttempts: 3, joinS: 12, shareS: 12, commitS: 12, readyS: 12, revealS: 12, open: false, groupSize: 0, protocol: 2 };

let consortium: Consortium;
beforeAll(async () => {
  consortium = await Consortium.create({ members });
  await Run.approve(consortium, [...consortium.keys.keys()]);
});
afterAll(() => consortium[Symbol.asyncDispose]());

/** What was asked, and what the real contract made of it. */
type Step =
  | { readonly by: Account; readonly call: Call; readonly block: number }
  | { readonly by: Account; readonly call: Call; readonly refused: string }
  | { readonly revoked: Account };

type Events = Awaited<ReturnType<Consortium['events']>>;

const pick = <T>(chance: Chance, from: readonly T[]): T => from[chance.below(from.length)] as T;

function subset(chance: Chance, of: readonly number[], probability: number): readonly number[] {
  return of.filter(() => chance.real() < probability);
}

/** A call that fits the open phase nine times in ten, otherwise any. */
function drawCall(chance: Chance, { open, start }: ContractModel): Call {
  const everybody = start.roster.map((_, member) => member);
  const round = chance.below(25) === 0 ? chance.below(3) : open.round;
  const attempt = chance.below(25) === 0 ? chance.below(3) : open.attempt;
  const set = open.set.length > 0 && chance.below(20) > 0 ? open.set : everybody;
  const calls: Readonly<Record<string, () => Call>> = {
    join: () => ({ kind: 'join', round, bundle: named('bundle') }),
    share: () => ({ kind: 'vouch', round, holds: subset(chance, chance.below(25) === 0 ? everybody : open.joined, chance.below(8) === 0 ? 0.6 : 1) }),
    commit: () => ({ kind: 'commit', round, attempt, root: named('root') }),
    have: () => ({ kind: 'have', round, attempt, holds: subset(chance, set, 0.7) }),
    ready: () => ({
      kind: 'ready',
      round,
      attempt,
      context,
      members: (chance.below(10) === 0 ? set.slice(1) : set).flatMap((member) => start.roster[member] ?? []),
      sum: named(chance.below(8) === 0 ? 'another sum' : 'sum'),
      signature: '',
    }),
    reveal: () => ({
      kind: 'vote',
      round,
      accept: chance.below(8) > 0,
      state: named(chance.below(6) === 0 ? 'another' : 'state'),
      model: named('model'),
      nextPlan: named('next'),
    }),
    advance: () => ({ kind: 'advance', round }),
    rejoin: () => ({ kind: 'rejoinRun' }),
    leave: () => ({ kind: 'leaveRun' }),
    reinstate: () => ({ kind: 'reinstate' }),
    rollBack: () => ({ kind: 'rollBack', keep: chance.below(open.finals + 2) }),
  };
  const now = open.phase === 'ready' && chance.below(4) === 0 ? 'have' : open.phase;
  const name = chance.below(10) === 0 ? pick(chance, Object.keys(calls)) : now;
  return (calls[(name === 'leave' || name === 'rollBack') && chance.below(4) > 0 ? 'rejoin' : name] ?? calls['join'] ?? (() => ({ kind: 'stopRun' })))();
}

const doneBy = ({ open }: ContractModel, call: Call, by: number): string => [open.round, open.attempt, call.kind, by].join('/');

/** Mostly a member that has not made this call yet; now and then anybody, an outsider among them (the index after the last member). */
function drawSender(chance: Chance, guess: ContractModel, acted: ReadonlySet<string>, call: Call): number {
  const fresh = Array.from({ length: members }, (_, by) => by).filter((by) => !acted.has(doneBy(guess, call, by)));
  return fresh.length > 0 && chance.below(8) > 0 ? pick(chance, fresh) : chance.below(members + 1);
}

function transactionOf(run: number, call: Call): LedgerTransaction {
  if (call.kind === 'ready') {
    const { signature: _, ...rest } = call;
    return { ...rest, run };
  }
  return { ...call, run };
}

async function attempt(by: number, run: number, call: Call, key: Consortium['keys'][number]): Promise<Step> {
  try {
    const { block } = await consortium.submit(by < members ? by : key, transactionOf(run, call));
    return { by: key.account, call, block };
  } catch (error) {
    if (!isSwarmError(error, 'LEDGER_REFUSED')) throw error;
    return { by: key.account, call, refused: String(error.detail['reason']) };
  }
}

async function revoke(account: Account): Promise<Step> {
  await consortium.submit(0, { kind: 'propose', action: { kind: 'revoke', account } });
  const proposals = (await consortium.events()).filter((event) => event.scope === 'consortium' && event.fact.kind === 'proposed').length;
  for (const voter of [1, 2]) await consortium.submit(voter, { kind: 'voteProposal', proposal: proposals, support: true });
  return { revoked: account };
}

/** One run of random calls on the real contract. The model that draws them may guess the time: it is only asked what would fit. */
async function play(run: number, seed: number, start: RunStart): Promise<readonly Step[]> {
  const chance = seededChance('contract model', seed);
  const outsider = freshAccountKey();
  const steps: Step[] = [];
  const acted = new Set<string>();
  const guess = new ContractModel(start);
  guess.begin(0);
  for (let count = 0; count < callsPerRun && guess.open.live; count++) {
    if (chance.below(24) === 0) {
      await consortium.pass(13);
      const advance = { kind: 'advance', round: guess.open.round } as const;
      steps.push(await attempt(0, run, advance, consortium.key(0)));
      if ('block' in (steps.at(-1) ?? {})) guess.call(start.starter, advance, Number.POSITIVE_INFINITY);
    }
    if (seed === runs - 6 && count === 30) {
      steps.push(await revoke(consortium.key(members - 1).account));
      guess.revoke(consortium.key(members - 1).account);
    }
    const call = drawCall(chance, guess);
    const by = drawSender(chance, guess, acted, call);
    const step = await attempt(by, run, call, by < members ? consortium.key(by) : outsider);
    steps.push(step);
    if ('block' in step) acted.add(doneBy(guess, call, by));
    if ('block' in step) guess.call(step.by, call, call.kind === 'advance' ? Number.POSITIVE_INFINITY : 0);
  }
  if (guess.open.live) steps.push(await attempt(0, run, { kind: 'stopRun' }, consortium.key(0)));
  return steps;
}

/** Without what the model does not know: signatures and blocks. */
const unsigned = (fact: RoundFact | RunFact): object => {
  if ('signature' in fact) return { ...fact, signature: '' };
  return 'beacon' in fact ? { ...fact, beacon: '' } : fact;
};
const nameOf = (reason: string): string => (/^Wrong/.test(reason) ? reason : reason.replace(/\(.*$/, ''));

it('answers as the contract does, call by call', { timeout: 120_000 }, async () => {
  const reached = new Map<string, number>();
  for (let run = 1; run <= runs; run++) {
    const roster = await activeRoster();
    const start: RunStart = { study, starter: consortium.key(0).account, roster, terms: { ...terms, open: run % 3 === 0 }, base, plan };
    await consortium.submit(0, { kind: 'startRun', ...start });
    const steps = await play(run, run, start);
    const events = (await consortium.events()).filter((event) => event.scope !== 'consortium' && event.run === run);
    for (const word of compare(run, start, steps, events)) reached.set(word, (reached.get(word) ?? 0) + 1);
  }
  console.log(`facts and refusals: ${[...reached].map(([word, times]) => `${word} ${times}`).join(', ')}`);
  const wanted = [
    'final',
    'void no-agreement',
    'void too-few-left',
    'have',
    'rejoined',
    'left',
    'AlreadyDone',
    'WrongPhase',
    'WrongAttempt',
    'NotASubset',
    'BadSignature',
    'NotYetExpired',
  ];
  for (const word of wanted) expect(reached.get(word) ?? 0, word).toBeGreaterThan(0);
});

/** Asks the model the same, at the times of the real blocks, and gives what was reached. */
function compare(run: number, start: RunStart, steps: readonly Step[], events: Events): readonly string[] {
  const model = new ContractModel(start);
  const first = events.filter((event) => event.block === events[0]?.block);
  let timeS = first[0]?.timeS ?? 0;
  expect(shown(model.begin(timeS))).toEqual(factsOf(first));
  return steps.flatMap((step, place) => {
    if ('revoked' in step) {
      model.revoke(step.revoked);
      return ['revoked'];
    }
    const inBlock = 'block' in step ? events.filter((event) => event.block === step.block) : [];
    timeS = inBlock[0]?.timeS ?? timeS;
    const answer = model.call(step.by, step.call, timeS);
    const said = 'facts' in answer ? { facts: shown(answer.facts) } : { refused: answer.refused };
    const real = 'block' in step ? { facts: factsOf(inBlock) } : { refused: nameOf(step.refused) };
    expect(said, `run ${run}, step ${place}: ${JSON.stringify(step.call)}`).toEqual(real);
    return 'facts' in answer ? answer.facts.map(({ fact }) => ('reason' in fact ? `void ${fact.reason}` : fact.kind)) : [answer.refused.replace(/\(.*/, '')];
  });
}

async function activeRoster(): Promise<readonly Account[]> {
  const events = await consortium.events();
  const revoked = events.flatMap((event) => (event.scope === 'consortium' && event.fact.kind === 'revoked' ? [event.fact.account] : []));
  return consortium.keys.map((key) => key.account).filter((account) => !revoked.includes(account));
}

function factsOf(events: Events): readonly object[] {
  return events.map((event) => ({ ...(event.scope === 'round' ? { round: event.round } : {}), ...unsigned(event.fact as RoundFact | RunFact) }));
}

function shown(facts: readonly ModelFact[]): readonly object[] {
  return facts.map((one) => ({ ...(one.scope === 'round' ? { round: one.round } : {}), ...unsigned(one.fact) }));
}
