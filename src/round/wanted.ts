/** What a member wants in each phase: a function of the state alone, so that everything lost is asked for again. */
import type { MemberSet } from '../wire/index.ts';
import type { Effect, RoundConfig, RoundPost } from './io.ts';
import { accountsOf, certified, contextOf, takesPart, watching } from './rules.ts';
import type { Attempt, Ground, RoundState } from './state.ts';

type In<Phase extends RoundState['phase']> = RoundState & { readonly phase: Phase };

const post = (wish: RoundPost): Effect => ({ kind: 'post', post: wish });

/** Every effect that is due in `state`. */
export function wanted(config: RoundConfig, state: RoundState): readonly Effect[] {
  switch (state.phase) {
    case 'waiting':
      return [];
    case 'join':
      return [...catchUp(config, state.ground), ...inJoin(config, state), ...advance(config, state)];
    case 'share':
      return [...catchUp(config, state.ground), ...inShare(config, state), ...advance(config, state)];
    case 'commit':
      return [...catchUp(config, state.ground), ...eraseEarlier(state), ...inCommit(config, state), ...advance(config, state)];
    case 'ready':
      return [...catchUp(config, state.ground), ...eraseEarlier(state), ...inReady(config, state), ...advance(config, state)];
    case 'reveal':
      return [...catchUp(config, state.ground), ...eraseEarlier(state), ...inReveal(config, state), ...advance(config, state)];
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

/** Closes a phase that is over. Members speak up one ledger second after another, so that as a rule only one does. */
function advance(config: RoundConfig, { ground, deadlineS }: { readonly ground: Ground; readonly deadlineS: number }): readonly Effect[] {
  const place = ground.roster.indexOf(config.self);
  return place >= 0 && ground.timeS > deadlineS + place ? [post({ kind: 'advance' })] : [];
}

function secretsAndInput(config: RoundConfig, ground: Ground): readonly Effect[] {
  const effects: Effect[] = [];
  if (ground.bundle === undefined && ground.context !== undefined) {
    effects.push({ kind: 'makeBundle', context: ground.context, roster: ground.roster, threshold: ground.threshold });
  }
  if (!ground.inputReady && ground.joined[config.self] !== undefined) effects.push({ kind: 'prepareInput', roster: ground.roster });
  return effects;
}

function missingBundles(config: RoundConfig, ground: Ground, from: MemberSet): readonly Effect[] {
  const missing = others(config, from).filter(
    (member) => ground.joined[member] !== undefined && !ground.bundles.includes(member) && !ground.refused.includes(member),
  );
  return missing.map((member) => ({ kind: 'request', from: member, item: { kind: 'bundle' } }));
}

function missingShares(config: RoundConfig, ground: Ground, from: MemberSet): readonly Effect[] {
  const missing = others(config, from).filter((member) => ground.bundles.includes(member) && !ground.shares.includes(member));
  return missing.map((member) => ({ kind: 'request', from: member, item: { kind: 'shares' } }));
}

function inJoin(config: RoundConfig, { ground }: In<'join'>): readonly Effect[] {
  if (watching(config, ground)) return [];
  const join = ground.bundle !== undefined && ground.joined[config.self] === undefined ? [post({ kind: 'join', bundle: ground.bundle })] : [];
  return [...secretsAndInput(config, ground), ...join, ...missingBundles(config, ground, ground.roster)];
}

/** Vouches as soon as all shares are there, or at half time for those that are. */
function inShare(config: RoundConfig, { ground, joined, vouched, deadlineS }: In<'share'>): readonly Effect[] {
  if (watching(config, ground) || !joined.includes(config.self)) return [];
  const rest = others(config, joined);
  const holds = joined.filter((member) => member === config.self || ground.shares.includes(member));
  const complete = rest.every((member) => ground.shares.includes(member) || ground.refused.includes(member));
  const late = ground.timeS >= deadlineS - config.terms.shareS / 2;
  const vouch = !vouched.includes(config.self) && (complete || late) ? [post({ kind: 'vouch', holds })] : [];
  return [...secretsAndInput(config, ground), ...missingBundles(config, ground, joined), ...missingShares(config, ground, joined), ...vouch];
}

/** R1: before anything else of a later attempt. */
function eraseEarlier({ ground, attempt }: Attempt & { readonly ground: Ground }): readonly Effect[] {
  return ground.erasedBelow < attempt ? [{ kind: 'erase', below: attempt }] : [];
}

/** At the end of the round every secret goes, released or not. */
function eraseAll(config: RoundConfig, ground: Ground): readonly Effect[] {
  const all = config.terms.maxAttempts;
  return ground.bundle !== undefined && ground.erasedBelow < all ? [{ kind: 'erase', below: all }] : [];
}

function inCommit(config: RoundConfig, state: In<'commit'>): readonly Effect[] {
  const { ground, attempt, set, masked, roots } = state;
  if (!takesPart(config, ground, state)) return [];
  const shares = [...missingBundles(config, ground, set), ...missingShares(config, ground, set)];
  const paired = others(config, set).every((member) => (config.self < member ? ground.bundles : ground.shares).includes(member));
  const mask: readonly Effect[] = masked === undefined && paired && ground.inputReady && ground.erasedBelow >= attempt ? [{ kind: 'mask', attempt, set }] : [];
  const commit = masked !== undefined && masked !== 'lost' && roots[config.self] === undefined ? [post({ kind: 'commit', attempt, root: masked })] : [];
  return [...secretsAndInput(config, ground), ...shares, ...mask, ...commit];
}

function inReady(config: RoundConfig, state: In<'ready'>): readonly Effect[] {
  const { ground, attempt, set, masked, roots, vectors, sum, ready, haves, deadlineS } = state;
  if (!takesPart(config, ground, state) || masked === undefined || masked === 'lost' || ready[config.self]) return [];
  const missing = others(config, set).filter((member) => !vectors.includes(member));
  const fetches = missing.flatMap((member): Effect[] => {
    const root = roots[member];
    return root === undefined
      ? []
      : [{ kind: 'fetchVector', attempt, member, root, holders: [member, ...others(config, set).filter((other) => other !== member)] }];
  });
  if (missing.length > 0) {
    const holds = set.filter((member) => !missing.includes(member));
    const late = ground.timeS >= deadlineS - config.terms.readyS / 2 && !haves.includes(config.self);
    return late ? [...fetches, post({ kind: 'have', attempt, holds })] : fetches;
  }
  if (sum === undefined) return [{ kind: 'sum', attempt, set }];
  const context = contextOf(ground, state);
  return context === undefined ? [] : [post({ kind: 'ready', attempt, context, members: accountsOf(config, set), sum })];
}

function inReveal(config: RoundConfig, state: In<'reveal'>): readonly Effect[] {
  const { ground, attempt, set, seeds, unmasked, votes, deadlineS } = state;
  if (!takesPart(config, ground, state) || !certified(config, ground, state)) return [];
  if (unmasked) return votes.includes(config.self) ? [] : [post({ kind: 'vote', ...unmasked })];
  const silent = others(config, set).filter((member) => !seeds.includes(member));
  if (silent.length === 0) return [{ kind: 'unmask', attempt, set }];
  const asked: readonly Effect[] = silent.map((member) => ({ kind: 'request', from: member, item: { kind: 'seed', attempt } }));
  const late = ground.timeS >= deadlineS - config.terms.revealS + config.shareGraceS;
  if (!late) return asked;
  const holders = others(config, ground.roster);
  const shares = silent.flatMap((owner) =>
    holders.filter((holder) => holder !== owner).map((holder): Effect => ({ kind: 'request', from: holder, item: { kind: 'seedShare', attempt, owner } })),
  );
  return [...asked, ...shares];
}
