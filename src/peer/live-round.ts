/** One round while it is live: the machine's state, the member's custody, and the one way in: inputs are stepped, stored, then adopted. */
import type { Digest } from '../common/index.ts';
import { type Effect, effectKey, type Input, initialState, type RoundConfig, type RoundState, take, wanted } from '../round/index.ts';
import type { Item, MessageBody, RoundKey } from '../wire/index.ts';
import type { Custody } from './custody.ts';
import type { RoundFigures, RunState } from './next-state.ts';
import { Pacing } from './pacing.ts';

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
  /** Local steps behind this member's words, as long as this process lives. */
  steps: { readonly done: number; readonly asked: number } | undefined;
  #state: RoundState;
  /** What is wanted now, by key. */
  #wanted: ReadonlyMap<string, Effect>;

  constructor(key: RoundKey, config: RoundConfig, custody: Custody, past: readonly Input[]) {
    this.key = key;
    this.config = config;
    this.custody = custody;
    for (const root of past.flatMap(storedRoot)) custody.addVector(root);
    this.#state = past.reduce((state, input) => take(config, state, input).state, initialState());
    this.#wanted = byKey(wanted(config, this.#state));
  }

  /** The machine's state now. */
  get state(): RoundState {
    return this.#state;
  }

  /** What is wanted now by key, without answers. */
  get wanted(): ReadonlyMap<string, Effect> {
    return this.#wanted;
  }

  /** Whether a request with this key is wanted now: only then is its answer taken from the network. */
  wants(key: string): boolean {
    return this.#wanted.has(key);
  }

  /** Steps through inputs without keeping anything. */
  preview(inputs: readonly Input[]): { readonly state: RoundState; readonly answers: readonly Effect[]; readonly changed: boolean } {
    let state = this.#state;
    const answers: Effect[] = [];
    for (const input of inputs) {
      const result = take(this.config, state, input);
      state = result.state;
      answers.push(...result.effects);
    }
    return { state, answers, changed: state !== this.#state };
  }

  /** Destroys the secrets of all attempts below `below`; of a FINAL round with an audit window the sealed record is written before. */
  erase(below: number): void {
    if (this.#state.phase === 'final') this.custody.keepOpening(this.#state.attempt);
    this.custody.erase(below);
  }

  /** Keeps a previewed state, after its inputs were stored. */
  adopt(state: RoundState): void {
    this.#state = state;
    this.#wanted = byKey(wanted(this.config, state));
    this.pacing.keep(this.#wanted);
  }
}

/** Vectors and sums of shards that an input of the past may have left on disk. */
export function storedRoot(input: Input): readonly Digest[] {
  if (input.kind === 'shardSummed' || input.kind === 'shardAnnounced') return [input.root];
  return input.kind === 'fact' && input.fact.kind === 'committed' ? [input.fact.root] : [];
}

function byKey(effects: readonly Effect[]): ReadonlyMap<string, Effect> {
  return new Map(effects.map((effect) => [effectKey(effect), effect]));
}

/** The item that a message brings. */
export function itemOf(body: Exclude<MessageBody, { readonly kind: 'request' }>): Item {
  switch (body.kind) {
    case 'bundle':
    case 'shares':
      return { kind: body.kind };
    case 'seed':
    case 'groupSum':
      return { kind: body.kind, attempt: body.attempt };
    case 'seedShare':
      return { kind: 'seedShare', attempt: body.attempt, owner: body.owner };
    case 'bundleOf':
      return { kind: 'bundleOf', owner: body.owner };
    case 'shardSum':
      return { kind: 'shardSum', attempt: body.attempt, generation: body.generation, shard: body.shard };
    case 'point':
    case 'prints':
      return { kind: body.kind, attempt: body.attempt, generation: body.generation };
  }
}
