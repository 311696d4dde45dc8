/**
 * round: one round of the consent-gated secure sum as a pure state machine.
 *
 * Owns the phases, the rules R1 to R9, and what is wanted in each state. Does not own: vectors, keys, disks, sockets, clocks.
 * Main path: `io.ts` (what goes in and out) → `state.ts` → `machine.ts` (`step`), which calls `reduce.ts`, `release.ts` and `wanted.ts`;
 * `rules.ts` says who takes part and what is certified; `groups.ts` what a round in groups adds. Pure.
 */
export { contextOf } from './context.ts';
export { groupsOf, isGrouped, ownGroup, rootOf, treeOf } from './groups.ts';
export { type Effect, effectKey, type Input, itemKey, type Release, type RoundConfig, type RoundPost } from './io.ts';
export { initialState, step, take } from './machine.ts';
export { accountsOf, differencingRisk, fewestApart } from './rules.ts';
export type { Attempt, Ground, Phase, RoundState, Watching } from './state.ts';
export { wanted } from './wanted.ts';
