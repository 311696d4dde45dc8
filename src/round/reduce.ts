/** How inputs change the state. Facts move the phases; everything else fills in what a phase is waiting for. */
import { roundContext } from '../aggregation/index.ts';
import { type Item, type RoundFact, withMember } from '../wire/index.ts';
import { contextOf } from './context.ts';
import { type GatherInput, gatherOutcome, gatherTime, openGather } from './gather.ts';
import { groupOutcome, groupsOf, isGrouped } from './groups.ts';
import { type Input, itemKey, type RoundConfig } from './io.ts';
import { maxAsked } from './limits.ts';
import { accountsOf, consented, isForgotten, takesPart } from './rules.ts';
import type { Attempt, Ground, RoundState } from './state.ts';

/** The state after one input, before requests are answered. */
export function reduce(config: RoundConfig, state: RoundState, input: Input): RoundState {
  const { ground } = state;
  const on = (change: Partial<Ground>): RoundState => ({ ...state, ground: { ...ground, ...change } });
  switch (input.kind) {
    case 'time':
      return input.timeS > ground.timeS ? afterTime(config, on({ timeS: input.timeS })) : state;
    case 'fact':
      return reduceFact(config, isForgotten(config, state, input.fact) ? on({ abandoned: true }) : state, input.fact);
    case 'baseReady':
      return ground.base === undefined ? on(baseOf(input)) : state;
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
    case 'gone':
      return on({ gone: { members: input.members.reduce(withMember, ground.gone.members), sinceS: input.timeS } });
    case 'requested':
      return on({ asked: withRequest(config, ground, input.by, input.item) });
    case 'stateHeld':
      return state.phase === 'final' && state.state === input.state ? { ...state, held: true } : state;
    default:
      return reduceOutcome(config, state, input);
  }
}

function baseOf({ base, plan, exchange, groups }: Extract<Input, { readonly kind: 'baseReady' }>): Partial<Ground> {
  return { base, plan, exchange, ...(groups ? { groups } : {}) };
}

function afterTime(config: RoundConfig, state: RoundState): RoundState {
  return state.phase === 'ready' ? gatherTime(config, state, state.ground) : state;
}

type Outcome =
  | GatherInput
  | Extract<Input, { readonly kind: 'masked' | 'maskLost' | 'vectorHeld' | 'summed' | 'groupStated' | 'groupHeld' | 'seedHeld' | 'unmasked' }>;

/** Outcomes that belong to one attempt; those of another attempt are too late and change nothing. */
function reduceOutcome(config: RoundConfig, state: RoundState, input: Outcome): RoundState {
  if (state.phase === 'final' && input.kind === 'unmasked') {
    return { ...state, held: state.held || input.state === state.state, differs: state.differs || input.state !== state.state };
  }
  if (!('roots' in state) || state.attempt !== input.attempt) return state;
  if (input.kind === 'masked' || input.kind === 'maskLost') {
    return state.masked === undefined ? { ...state, masked: input.kind === 'masked' ? input.root : 'lost' } : state;
  }
  if (state.phase === 'ready') return readyOutcome(config, state, input);
  return state.phase === 'reveal' ? revealOutcome(state, input) : state;
}

function readyOutcome(config: RoundConfig, state: RoundState & { phase: 'ready' }, input: Outcome): RoundState {
  switch (input.kind) {
    case 'vectorHeld':
      return { ...state, vectors: withMember(state.vectors, input.member) };
    case 'summed':
      return state.sum === undefined ? { ...state, sum: input.sum } : state;
    case 'groupStated':
    case 'groupHeld': {
      const groups = groupOutcome(config, state.ground, state, input);
      return groups ? { ...state, groups } : state;
    }
    case 'masked':
    case 'maskLost':
    case 'seedHeld':
    case 'unmasked':
      return state;
    default:
      return gatherOutcome(config, state, input);
  }
}

function revealOutcome(state: RoundState & { phase: 'reveal' }, input: Outcome): RoundState {
  if (input.kind === 'seedHeld') return { ...state, seeds: withMember(state.seeds, input.from) };
  if (input.kind !== 'unmasked' || state.unmasked) return state;
  return { ...state, unmasked: { accept: input.accept, state: input.state, model: input.model, nextPlan: input.nextPlan } };
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
  return { phase: 'join', ground: { ...ground, roster: fact.roster, opened, context, threshold }, sinceS: fact.sinceS, deadlineS: fact.deadlineS };
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
      return state.phase === 'join'
        ? { phase: 'share', ground, sinceS: fact.sinceS, deadlineS: fact.deadlineS, joined: fact.joined, vouched: [], holds: [] }
        : state;
    case 'vouched':
      return state.phase === 'share'
        ? { ...state, vouched: withMember(state.vouched, fact.member), holds: fact.member === config.self ? fact.holds : state.holds }
        : state;
    case 'final':
      return closeFinal(state, fact);
    case 'void':
      return { phase: 'void', ground, attempt: fact.attempt, reason: fact.reason };
    default:
      return reduceAttemptFact(config, state, fact);
  }
}

type AttemptFact = Extract<RoundFact, { readonly kind: 'attemptOpened' | 'committed' | 'commitClosed' | 'have' | 'ready' | 'readyClosed' | 'voted' }>;

function openAttempt(config: RoundConfig, state: RoundState, fact: RoundFact & { kind: 'attemptOpened' }): RoundState {
  const first = state.phase === 'share' || (config.terms.open && state.phase === 'join');
  const later = first || ((state.phase === 'commit' || state.phase === 'ready') && fact.attempt > state.attempt);
  if (!later) return state;
  const { attempt, set, sinceS, deadlineS } = fact;
  return { phase: 'commit', ground: state.ground, attempt, set, sinceS, deadlineS, roots: {}, masked: undefined };
}

function attemptOf({ attempt, set, roots, masked }: Attempt, { sinceS, deadlineS }: Pick<Attempt, 'sinceS' | 'deadlineS'>): Attempt {
  return { attempt, set, roots, masked, sinceS, deadlineS };
}

function reduceAttemptFact(config: RoundConfig, state: RoundState, fact: AttemptFact): RoundState {
  if (fact.kind === 'attemptOpened') return openAttempt(config, state, fact);
  if (fact.kind === 'voted') return state.phase === 'reveal' ? { ...state, votes: withMember(state.votes, fact.member) } : state;
  if (!('roots' in state) || state.attempt !== fact.attempt) return state;
  if (state.phase === 'commit') return commitFact(config, state, fact);
  return state.phase === 'ready' ? readyFact(config, state, fact) : state;
}

function commitFact(config: RoundConfig, state: RoundState & { phase: 'commit' }, fact: AttemptFact): RoundState {
  if (fact.kind === 'committed' && state.roots[fact.member] === undefined) return { ...state, roots: { ...state.roots, [fact.member]: fact.root } };
  if (fact.kind !== 'commitClosed') return state;
  const { ground, set } = state;
  const context = contextOf(ground, state);
  const gather = context && takesPart(config, ground, state) ? openGather(ground.exchange, context, fact.beacon, set, ground.timeS) : undefined;
  const groups = isGrouped(config) ? { groups: { stated: {}, held: [], said: {} } } : {};
  return { phase: 'ready', ground, ...attemptOf(state, fact), vectors: [], sum: undefined, gather, ready: {}, haves: [], ...groups };
}

function readyFact(config: RoundConfig, state: RoundState & { phase: 'ready' }, fact: AttemptFact): RoundState {
  const { ground, sum, gather, ready } = state;
  if (fact.kind === 'have') {
    const { groups } = state;
    const said = groups ? { groups: { ...groups, said: { ...groups.said, [fact.member]: fact.holds } } } : {};
    return { ...state, haves: withMember(state.haves, fact.member), ...said };
  }
  if (fact.kind === 'ready' && ready[fact.member] === undefined)
    return { ...state, ready: { ...ready, [fact.member]: { context: fact.context, sum: fact.sum } } };
  if (fact.kind !== 'readyClosed') return state;
  const reveal = { ...attemptOf(state, fact), sum, ready, ...(state.groups ? { groups: state.groups } : {}) };
  const lists = isGrouped(config) ? { groups: groupsOf(config, ground, state.set) } : {};
  const released = ground.released ?? (consented(config, ground, reveal) ? { attempt: state.attempt, set: state.set, ...lists } : undefined);
  return { phase: 'reveal', ground: { ...ground, released }, ...reveal, gather, seeds: [], unmasked: undefined, votes: [] };
}

function closeFinal(state: RoundState, fact: RoundFact & { kind: 'final' }): RoundState {
  if (state.phase === 'final' || state.phase === 'void') return state;
  const computed = state.phase === 'reveal' ? state.unmasked : undefined;
  const { attempt, set, state: hash, model, nextPlan } = fact;
  const differs = computed !== undefined && (computed.state !== hash || computed.model !== model);
  return { phase: 'final', ground: state.ground, attempt, set, state: hash, model, nextPlan, held: computed?.state === hash, differs };
}
