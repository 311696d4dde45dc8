/**
 * The round machine: `step(config, state, input)` gives the next state and everything that is wanted in it.
 * Wanted effects are a function of the state alone, so a restart folds the journal and asks again; only answers to requests,
 * which release something, belong to the step that decided them. Rules R1 to R8 are those of proto/README.md.
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
      asked: [],
    },
  };
}

/** One step: pure, total, and the same on every machine. */
export function step(config: RoundConfig, state: RoundState, input: Input): { readonly state: RoundState; readonly effects: readonly Effect[] } {
  const reduced = reduce(config, state, input);
  const answered = answers(config, reduced);
  return { state: answered.state, effects: [...answered.effects, ...wanted(config, answered.state)] };
}
