/** What a member wants in each phase: a function of the state alone, so that everything lost is asked for again. */
import { pointGenerations } from '../aggregation/index.ts';
import type { MemberSet } from '../wire/index.ts';
import { contextOf } from './context.ts';
import { gathered } from './gather.ts';
import { groupsOf, isGrouped, missingElsewhere, ownGroup, readySum, rootOf } from './groups.ts';
import type { Effect, RoundConfig, RoundPost } from './io.ts';
import { accountsOf, certified, takesPart, watching } from './rules.ts';
import type { Attempt, Ground, RoundState } from './state.ts';
import { helping, silentMembers, wantedShards } from './wanted-shards.ts';

type In<Phase extends RoundState['phase']> = RoundState & { readonly phase: Phase };

const post = (wish: RoundPost): Effect => ({ kind: 'post', post: wish });

/** Every effect that is due in `state`. */
export function wanted(config: RoundConfig, state: RoundState): readonly Effect[] {
  if (state.ground.abandoned && 'deadlineS' in state) return [...eraseAll(config, state.ground), ...catchUp(config, state.ground)];
  switch (state.phase) {
    case 'waiting':
      return [];
    case 'join':
      return [...catchUp(config, state.ground), ...inJoin(config, state), ...advance(config, state)];
    case 'share':
      return [...catchUp(config, state.ground), ...inShare(config, state), ...advance(config, state)];
    case 'commit':
      return [...catchUp(config, state.ground), ...eraseEarlier(config, state), ...inCommit(config, state), ...advance(config, state)];
    case 'ready':
      return [...catchUp(config, state.ground), ...eraseEarlier(config, state), ...inReady(config, state), ...advance(config, state)];
    case 'reveal':
      return [...catchUp(config, state.ground), ...eraseEarlier(config, state), ...inReveal(config, state), ...advance(config, state)];
    case 'final':
      return [
        ...eraseAll(config, state.ground),
        ...(state.held || state.differs ? [] : [{ kind: 'fetchState', state: state.state, holders: others(config, state.set) } as const]),
      ];
    case 'void':
      return eraseAll(config, state.ground);
  }
}

function others(config: RoundConfig, set: MemberSet): MemberSet {
  return set.filter((member) => member !== config.self);
}

/** A member without the state that the round starts from fetches it by its hash. */
function catchUp(config: RoundConfig, ground: Ground): readonly Effect[] {
  if (ground.base !== undefined || ground.opened === undefined) return [];
  return [{ kind: 'fetchState', state: ground.opened.base, holders: others(config, ground.roster) }];
}

/** Closes a phase that is over. Members speak up one ledger second after another, so that as a rule only one does; those whom the round does not expect come last. */
function advance(config: RoundConfig, state: Open): readonly Effect[] {
  const { ground, deadlineS } = state;
  const unexpected = config.accounts.map((_, member) => member).filter((member) => !ground.roster.includes(member));
  const place = [...ground.roster, ...unexpected].filter((member) => !ground.gone.members.includes(member)).indexOf(config.self);
  if (place < 0) return [];
  const missing = missingIn(state);
  const onlyGone = missing.length > 0 && missing.every((member) => ground.gone.members.includes(member));
  const dueS = onlyGone ? Math.min(deadlineS, ground.gone.sinceS) : deadlineS;
  return ground.timeS > dueS + place ? [post({ kind: 'advance' })] : [];
}

type Open = In<'join' | 'share' | 'commit' | 'ready' | 'reveal'>;

/** Who has not done what the phase waits for. */
function missingIn(state: Open): MemberSet {
  const { ground } = state;
  switch (state.phase) {
    case 'join':
      return ground.roster.filter((member) => ground.joined[member] === undefined);
    case 'share':
      return state.joined.filter((member) => !state.vouched.includes(member));
    case 'commit':
      return state.set.filter((member) => state.roots[member] === undefined);
    case 'ready':
      return state.set.filter((member) => state.ready[member] === undefined);
    case 'reveal':
      return state.set.filter((member) => !state.votes.includes(member));
  }
}

/** Whether a part of the time that a phase may last has passed. */
function isPast({ ground, sinceS, deadlineS }: Open, part: number): boolean {
  return ground.timeS >= sinceS + part * (deadlineS - sinceS);
}

function secretsAndInput(config: RoundConfig, ground: Ground): readonly Effect[] {
  const effects: Effect[] = [];
  if (!config.terms.open && ground.bundle === undefined && ground.context !== undefined) {
    const generations = ground.exchange.kind === 'broadcast' ? 0 : pointGenerations;
    effects.push({ kind: 'makeBundle', context: ground.context, roster: ground.roster, threshold: ground.threshold, generations });
  }
  if (!ground.inputReady && ground.joined[config.self] !== undefined) effects.push({ kind: 'prepareInput', roster: ground.roster });
  return effects;
}

function missingBundles(config: RoundConfig, ground: Ground, from: MemberSet): readonly (Effect & { kind: 'request' })[] {
  if (config.terms.open) return [];
  const missing = others(config, from).filter(
    (member) => ground.joined[member] !== undefined && !ground.bundles.includes(member) && !ground.refused.includes(member),
  );
  return missing.map((member) => ({ kind: 'request', from: member, item: { kind: 'bundle' } }));
}

/** In groups a bundle is taken from the rest of its owner's group too: whoever cannot reach the owner could check neither its seed nor a share of it. */
function missingInGroups(config: RoundConfig, ground: Ground, set: MemberSet): readonly Effect[] {
  if (!isGrouped(config)) return missingBundles(config, ground, set);
  return groupsOf(config, ground, set).flatMap((group) =>
    missingBundles(config, ground, group).flatMap((request) => {
      const owner = request.from;
      const passed = others(config, group).filter((from) => from !== owner);
      return [request, ...passed.map((from): Effect => ({ kind: 'request', from, item: { kind: 'bundleOf', owner } }))];
    }),
  );
}

function missingShares(config: RoundConfig, ground: Ground, from: MemberSet): readonly Effect[] {
  const missing = others(config, from).filter((member) => ground.bundles.includes(member) && !ground.shares.includes(member));
  return missing.map((member) => ({ kind: 'request', from: member, item: { kind: 'shares' } }));
}

/** In open mode there is no bundle to name: the context stands in its place. */
function inJoin(config: RoundConfig, { ground }: In<'join'>): readonly Effect[] {
  if (watching(config, ground)) return [];
  const bundle = config.terms.open ? ground.context : ground.bundle;
  const join = bundle !== undefined && ground.joined[config.self] === undefined ? [post({ kind: 'join', bundle })] : [];
  return [...secretsAndInput(config, ground), ...join, ...missingBundles(config, ground, ground.roster)];
}

/** Vouches as soon as all shares are there, or at half time for those that are; again when more have come. */
function inShare(config: RoundConfig, state: In<'share'>): readonly Effect[] {
  const { ground, joined, vouched } = state;
  if (watching(config, ground) || !joined.includes(config.self)) return [];
  const rest = others(config, joined);
  const holds = joined.filter((member) => member === config.self || ground.shares.includes(member));
  const complete = rest.every((member) => ground.shares.includes(member) || ground.refused.includes(member));
  const isFirst = !vouched.includes(config.self);
  const isMore = isFirst || holds.length > state.holds.length;
  const vouch = isMore && (complete || isPast(state, isFirst ? 0.5 : 0.75)) ? [post({ kind: 'vouch', holds })] : [];
  return [...secretsAndInput(config, ground), ...missingBundles(config, ground, joined), ...missingShares(config, ground, joined), ...vouch];
}

/** R1: before anything else of a later attempt. */
function eraseEarlier(config: RoundConfig, { ground, attempt }: Attempt & { readonly ground: Ground }): readonly Effect[] {
  return !config.terms.open && ground.erasedBelow < attempt ? [{ kind: 'erase', below: attempt }] : [];
}

/** At the end of the round every secret and every vector goes, released or not. */
function eraseAll(config: RoundConfig, ground: Ground): readonly Effect[] {
  const all = config.terms.maxAttempts;
  const made = config.terms.open ? ground.inputReady : ground.bundle !== undefined;
  return (made || ground.abandoned) && ground.erasedBelow < all ? [{ kind: 'erase', below: all }] : [];
}

function inCommit(config: RoundConfig, state: In<'commit'>): readonly Effect[] {
  const { ground, attempt, set, masked, roots } = state;
  if (!takesPart(config, ground, state)) return [];
  const shares = [...missingInGroups(config, ground, set), ...missingShares(config, ground, set)];
  const { open } = config.terms;
  const paired =
    open || others(config, ownGroup(config, ground, set)).every((member) => (config.self < member ? ground.bundles : ground.shares).includes(member));
  const due = masked === undefined && paired && ground.inputReady && (open || ground.erasedBelow >= attempt);
  const mask: readonly Effect[] = due ? [{ kind: 'mask', attempt, set }] : [];
  const commit = masked !== undefined && masked !== 'lost' && roots[config.self] === undefined ? [post({ kind: 'commit', attempt, root: masked })] : [];
  return [...secretsAndInput(config, ground), ...shares, ...mask, ...commit];
}

function inReady(config: RoundConfig, state: In<'ready'>): readonly Effect[] {
  const { ground, attempt, set, masked, sum, ready, gather } = state;
  if (!takesPart(config, ground, state) || masked === undefined || masked === 'lost') return [];
  if (ready[config.self]) return [...missingInGroups(config, ground, set), ...(gather ? helping(config, state, gather) : [])];
  const gathering = gather ? [...wantedShards(config, state, gather), ...helping(config, state, gather)] : missingVectors(config, state);
  const group = ownGroup(config, ground, set);
  const missing = gather ? silentMembers(config, gather) : others(config, group).filter((member) => !state.vectors.includes(member));
  const complete = gather ? gathered(config, gather) : missing.length === 0;
  if (!complete) return [...gathering, ...sayHaves(config, state, missing)];
  if (sum === undefined) return [...gathering, { kind: 'sum', attempt, set: group }];
  const due = isGrouped(config) ? missingGroups(config, state) : [];
  if (due.length > 0) return [...gathering, ...due, ...haveForOthers(config, state)];
  const [context, agreed] = [contextOf(ground, state), readySum(config, ground, state)];
  if (context === undefined || agreed === undefined) return gathering;
  return [...gathering, post({ kind: 'ready', attempt, context, members: accountsOf(config, set), sum: agreed })];
}

/** At half time a member that cannot be READY yet says whose vectors, or shards, it has. */
function sayHaves(config: RoundConfig, state: In<'ready'>, missing: MemberSet): readonly Effect[] {
  const { attempt, set, haves } = state;
  const late = isPast(state, 0.5) && !haves.includes(config.self);
  return late ? [post({ kind: 'have', attempt, holds: set.filter((member) => !missing.includes(member)) })] : [];
}

function missingVectors(config: RoundConfig, { ground, attempt, set, roots, vectors }: In<'ready'>): readonly Effect[] {
  const group = ownGroup(config, ground, set);
  return others(config, group).flatMap((member): Effect[] => {
    const root = roots[member];
    if (root === undefined || vectors.includes(member)) return [];
    return [{ kind: 'fetchVector', attempt, member, root, holders: [member, ...others(config, group).filter((other) => other !== member)] }];
  });
}

/** Roots of other groups that are not known yet, then their masked sums. */
function missingGroups(config: RoundConfig, state: In<'ready'>): readonly Effect[] {
  const { ground, attempt, set, groups } = state;
  return groupsOf(config, ground, set).flatMap((group, at): readonly Effect[] => {
    if (group.includes(config.self) || groups?.held.includes(at)) return [];
    const root = rootOf(config, state, group);
    if (root !== undefined) return [{ kind: 'fetchGroup', attempt, group: at, root, holders: group }];
    return group.filter((from) => groups?.stated[from] === undefined).map((from) => ({ kind: 'request', from, item: { kind: 'groupSum', attempt } }));
  });
}

/** A member that waits for another group says late what it holds, so that the group itself has named who is missing there. */
function haveForOthers(config: RoundConfig, state: In<'ready'>): readonly Effect[] {
  if (!isPast(state, 0.75) || state.haves.includes(config.self)) return [];
  const elsewhere = missingElsewhere(config, state.ground, state);
  return [post({ kind: 'have', attempt: state.attempt, holds: state.set.filter((member) => !elsewhere.includes(member)) })];
}

function inReveal(config: RoundConfig, state: In<'reveal'>): readonly Effect[] {
  const { ground, attempt, set, seeds, unmasked, votes, sinceS } = state;
  if (!takesPart(config, ground, state) || !certified(config, ground, state)) return [];
  if (unmasked) return votes.includes(config.self) ? [] : [post({ kind: 'vote', ...unmasked })];
  const silent = config.terms.open ? [] : others(config, set).filter((member) => !seeds.includes(member));
  if (silent.length === 0) return [{ kind: 'unmask', attempt, set }];
  const known = silent.filter((member) => ground.bundles.includes(member));
  const bundles = missingInGroups(config, ground, set);
  const asked: readonly Effect[] = known.map((member) => ({ kind: 'request', from: member, item: { kind: 'seed', attempt } }));
  const late = ground.timeS >= sinceS + config.shareGraceS;
  if (!late) return [...bundles, ...asked];
  const holders = others(config, ground.roster);
  const shares = known.flatMap((owner) =>
    holders.filter((holder) => holder !== owner).map((holder): Effect => ({ kind: 'request', from: holder, item: { kind: 'seedShare', attempt, owner } })),
  );
  return [...bundles, ...asked, ...shares];
}
