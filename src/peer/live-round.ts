/** One round while it is live: the machine's state, the member's custody, and the one way in: inputs are stepped, stored, then adopted. */
import type { RoundState as RunState } from '../aggregation/index.ts';
import type { Digest } from '../common/index.ts';
import { type Effect, effectKey, type Input, initialState, type RoundConfig, type RoundState, step, wanted } from '../round/index.ts';
import type { Item, MessageBody, RoundKey } from '../wire/index.ts';
import type { Custody } from './custody.ts';
import { Pacing } from './pacing.ts';
import type { RoundFigures } from './question.ts';

/** What unmasking gave, kept until the vote is final. */
export interface Computed {
  readonly state: RunState;
  readonly hash: Digest;
  readonly figures: RoundFigures;
}

/** A live round. `preview` steps without keeping; `adopt` keeps what was stored. */
export class LiveRound {
  readonly key: RoundKey;
  readonly config: RoundConfig;
  readonly custody: Custody;
  readonly pacing = new Pacing();
  computed: Computed | undefined;
  #state: RoundState;
  #effects: readonly Effect[];

  constructor(key: RoundKey, config: RoundConfig, custody: Custody, past: readonly Input[]) {
    this.key = key;
    this.config = config;
    this.custody = custody;
    this.#state = past.reduce((state, input) => step(config, state, input).state, initialState());
    this.#effects = wanted(config, this.#state);
  }

  /** The machine's state now. */
  get state(): RoundState {
    return this.#state;
  }

  /** What is wanted now, without answers. */
  get effects(): readonly Effect[] {
    return this.#effects;
  }

  /** Whether a request with this key is wanted now: only then is its answer taken from the network. */
  wants(key: string): boolean {
    return this.#effects.some((effect) => effectKey(effect) === key);
  }

  /** Steps through inputs without keeping anything. */
  preview(inputs: readonly Input[]): { readonly state: RoundState; readonly answers: readonly Effect[]; readonly changed: boolean } {
    let state = this.#state;
    const answers: Effect[] = [];
    for (const input of inputs) {
      const result = step(this.config, state, input);
      state = result.state;
      answers.push(...result.effects.filter((effect) => effect.kind === 'answer'));
    }
    return { state, answers, changed: state !== this.#state };
  }

  /** Keeps a previewed state, after its inputs were stored. */
  adopt(state: RoundState): void {
    this.#state = state;
    this.#effects = wanted(this.config, state);
    this.pacing.keep(new Set(this.#effects.map(effectKey)));
  }
}

/** The item that a message brings. */
export function itemOf(body: Exclude<MessageBody, { readonly kind: 'request' }>): Item {
  switch (body.kind) {
    case 'bundle':
    case 'shares':
      return { kind: body.kind };
    case 'seed':
      return { kind: 'seed', attempt: body.attempt };
    case 'seedShare':
      return { kind: 'seedShare', attempt: body.attempt, owner: body.owner };
  }
}
