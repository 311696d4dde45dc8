/**
 * The round machine: `step(config, state, input)` gives the next state and everything that is wanted in it.
 * Wanted effects are a function of the state alone, so a restart folds the journal and asks again; only answers to requests,
 * which release something, belong to the step that decided them. Rules R1 to R9 are those of proto/README.md.
 */
import type { Effect, Input, RoundConfig } from './io.ts';
import { reduce } from './reduce.ts';
import { answers } from './release.ts';
import type { RoundState } from './state.ts';
import { wanted } from './wanted.ts';

/** The state before the ledger opened the round. */
export function initialState(): RoundState {
  return {
    phase: 'waiting',
    ground: {
      timeS: 0,
      base: undefined,
      plan: undefined,
      exchange: { kind: 'broadcast' },
      roster: [],
      opened: undefined,
      context: undefined,
      threshold: 0,
      bundle: undefined,
      joined: {},
      bundles: [],
      refused: [],
      shares: [],
      inputReady: false,
      erasedBelow: 0,
      released: undefined,
      abandoned: false,
      gone: { members: [], sinceS: 0 },
      asked: [],
    },
  };
}

/** What one input does to the state, with the answers it decides and nothing of what is wanted then: for folding many inputs. */
export function take(config: RoundConfig, state: RoundState, input: Input): { readonly state: RoundState; readonly effects: readonly Effect[] } {
  const answered = answers(config, reduce(config, state, input));
  return input.kind === 'requested' && isSettled(state, answered.state) ? { state, effects: answered.effects } : answered;
}

/** A request that was answered at once, or that waits already, leaves the state as it was: nothing to store, so nobody can fill a journal by asking. */
function isSettled(before: RoundState, after: RoundState): boolean {
  return after.ground.asked.length === before.ground.asked.length && after.ground.released === before.ground.released;
}

/** One step: pure, total, and the same on every machine. */
export function step(config: RoundConfig, state: RoundState, input: Input): { readonly state: RoundState; readonly effects: readonly Effect[] } {
  const answered = take(config, state, input);
  return { state: answered.state, effects: [...answered.effects, ...wanted(config, answered.state)] };
}
