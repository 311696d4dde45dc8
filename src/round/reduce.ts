/** How inputs change the state. Facts move the phases; everything else fills in what a phase is waiting for. */
import { roundContext } from '../aggregation/index.ts';
import type { Item, MemberSet, RoundFact } from '../wire/index.ts';
import { type Input, itemKey, type RoundConfig } from './io.ts';
import { maxAsked } from './limits.ts';
import { accountsOf } from './rules.ts';
import type { Attempt, Ground, RoundState } from './state.ts';

/** The state after one input, before requests are answered. */
export function reduce(config: RoundConfig, state: RoundState, input: Input): RoundState {
  const { ground } = state;
  const on = (change: Partial<Ground>): RoundState => ({ ...state, ground: { ...ground, ...change } });
  switch (input.kind) {
    case 'time':
      return input.timeS > ground.timeS ? on({ timeS: input.timeS }) : state;
    case 'fact':
      return reduceFact(config, state, input.fact);
    case 'baseReady':
      return ground.base === undefined ? on({ base: input.base, plan: input.plan }) : state;
    case 'bundleMade':
      return on({ bundle: input.bundle });
    case 'bundleHeld':
      return on({ bundles: withMember(ground.bundles, input.from) });
    case 'bundleRefused':
      return on({ refused: withMember(ground.refused, input.from) });
    case 'sharesHeld':
      return on({ shares: withMember(ground.shares, input.from) });
    case 'inputReady':
      return on({ inputReady: true });
    case 'erased':
      return on({ erasedBelow: Math.max(ground.erasedBelow, input.below) });
    case 'requested':
      return on({ asked: withRequest(config, ground, input.by, input.item) });
    case 'stateHeld':
      return state.phase === 'final' && state.state === input.state ? { ...state, held: true } : state;
    default:
      return reduceOutcome(state, input);
  }
}

type Outcome = Extract<Input, { readonly kind: 'masked' | 'maskLost' | 'vectorHeld' | 'summed' | 'seedHeld' | 'unmasked' }>;

/** Outcomes that belong to one attempt; those of another attempt are too late and change nothing. */
function reduceOutcome(state: RoundState, input: Outcome): RoundState {
  if (state.phase === 'final' && input.kind === 'unmasked') {
    return { ...state, held: state.held || input.state === state.state, differs: state.differs || input.state !== state.state };
  }
  if (!('roots' in state) || state.attempt !== input.attempt) return state;
  if (input.kind === 'masked' || input.kind === 'maskLost') {
    return state.masked === undefined ? { ...state, masked: input.kind === 'masked' ? input.root : 'lost' } : state;
  }
  if (state.phase === 'ready') return readyOutcome(state, input);
  return state.phase === 'reveal' ? revealOutcome(state, input) : state;
}

function readyOutcome(state: RoundState & { phase: 'ready' }, input: Outcome): RoundState {
  if (input.kind === 'vectorHeld') return { ...state, vectors: withMember(state.vectors, input.member) };
  return input.kind === 'summed' && state.sum === undefined ? { ...state, sum: input.sum } : state;
}

function revealOutcome(state: RoundState & { phase: 'reveal' }, input: Outcome): RoundState {
  if (input.kind === 'seedHeld') return { ...state, seeds: withMember(state.seeds, input.from) };
  if (input.kind !== 'unmasked' || state.unmasked) return state;
  return { ...state, unmasked: { state: input.state, model: input.model, nextPlan: input.nextPlan } };
}

function withMember(set: MemberSet, member: number): MemberSet {
  return set.includes(member) ? set : [...set, member].sort((a, b) => a - b);
}

function withRequest(config: RoundConfig, ground: Ground, by: number, item: Item): Ground['asked'] {
  const known = by !== config.self && (ground.roster.length === 0 || ground.roster.includes(by));
  const repeated = ground.asked.some((request) => request.by === by && itemKey(request.item) === itemKey(item));
  if (!known || repeated || ground.asked.filter((request) => request.by === by).length >= maxAsked) return ground.asked;
  return [...ground.asked, { by, item }];
}

function openRound(config: RoundConfig, ground: Ground, fact: RoundFact & { kind: 'opened' }): RoundState {
  const { chainId, contract, study, run, round } = config;
  const context = roundContext({ chainId, contract, study, run, round, base: fact.base, plan: fact.plan, roster: accountsOf(config, fact.roster) });
  const threshold = Math.floor((2 * fact.roster.length) / 3) + 1;
  const opened = { base: fact.base, plan: fact.plan };
  return { phase: 'join', ground: { ...ground, roster: fact.roster, opened, context, threshold }, deadlineS: fact.deadlineS };
}

/** A fact of the ledger. The contract's order is trusted for the phases only: what may leave is decided by `rules.ts`. */
function reduceFact(config: RoundConfig, state: RoundState, fact: RoundFact): RoundState {
  const { ground } = state;
  switch (fact.kind) {
    case 'opened':
      return state.phase === 'waiting' ? openRound(config, ground, fact) : state;
    case 'joined':
      return state.phase === 'join' && ground.joined[fact.member] === undefined
        ? { ...state, ground: { ...ground, joined: { ...ground.joined, [fact.member]: fact.bundle } } }
        : state;
    case 'joinClosed':
      return state.phase === 'join' ? { phase: 'share', ground, deadlineS: fact.deadlineS, joined: fact.joined, vouched: [] } : state;
    case 'vouched':
      return state.phase === 'share' ? { ...state, vouched: withMember(state.vouched, fact.member) } : state;
    case 'final':
      return closeFinal(state, fact);
    case 'void':
      return { phase: 'void', ground, attempt: fact.attempt, reason: fact.reason };
    default:
      return reduceAttemptFact(state, fact);
  }
}

type AttemptFact = Extract<RoundFact, { readonly kind: 'attemptOpened' | 'committed' | 'commitClosed' | 'have' | 'ready' | 'readyClosed' | 'voted' }>;

function openAttempt(state: RoundState, fact: RoundFact & { kind: 'attemptOpened' }): RoundState {
  const later = state.phase === 'share' || ((state.phase === 'commit' || state.phase === 'ready') && fact.attempt > state.attempt);
  if (!later) return state;
  return { phase: 'commit', ground: state.ground, attempt: fact.attempt, set: fact.set, deadlineS: fact.deadlineS, roots: {}, masked: undefined };
}

function attemptOf({ attempt, set, roots, masked }: Attempt, deadlineS: number): Attempt {
  return { attempt, set, roots, masked, deadlineS };
}

function reduceAttemptFact(state: RoundState, fact: AttemptFact): RoundState {
  if (fact.kind === 'attemptOpened') return openAttempt(state, fact);
  if (fact.kind === 'voted') return state.phase === 'reveal' ? { ...state, votes: withMember(state.votes, fact.member) } : state;
  if (!('roots' in state) || state.attempt !== fact.attempt) return state;
  if (state.phase === 'commit') return commitFact(state, fact);
  return state.phase === 'ready' ? readyFact(state, fact) : state;
}

function commitFact(state: RoundState & { phase: 'commit' }, fact: AttemptFact): RoundState {
  if (fact.kind === 'committed' && state.roots[fact.member] === undefined) return { ...state, roots: { ...state.roots, [fact.member]: fact.root } };
  if (fact.kind !== 'commitClosed') return state;
  return { phase: 'ready', ground: state.ground, ...attemptOf(state, fact.deadlineS), vectors: [], sum: undefined, ready: {}, haves: [] };
}

function readyFact(state: RoundState & { phase: 'ready' }, fact: AttemptFact): RoundState {
  const { ground, sum, ready } = state;
  if (fact.kind === 'have') return { ...state, haves: withMember(state.haves, fact.member) };
  if (fact.kind === 'ready' && ready[fact.member] === undefined)
    return { ...state, ready: { ...ready, [fact.member]: { context: fact.context, sum: fact.sum } } };
  if (fact.kind !== 'readyClosed') return state;
  return { phase: 'reveal', ground, ...attemptOf(state, fact.deadlineS), sum, ready, seeds: [], unmasked: undefined, votes: [] };
}

function closeFinal(state: RoundState, fact: RoundFact & { kind: 'final' }): RoundState {
  if (state.phase === 'final' || state.phase === 'void') return state;
  const computed = state.phase === 'reveal' ? state.unmasked : undefined;
  const { attempt, set, state: hash, model, nextPlan } = fact;
  const differs = computed !== undefined && (computed.state !== hash || computed.model !== model);
  return { phase: 'final', ground: state.ground, attempt, set, state: hash, model, nextPlan, held: computed?.state === hash, differs };
}
