/**
 * Members' local states, numbered: the real machine's state with what its performers keep. A local step is a table look-up once it was taken before,
 * because `take` is a pure function.
 */

import type { Digest } from '../../src/common/index.ts';
import { type Effect, type Input, initialState, itemKey, type RoundConfig, type RoundPost, type RoundState, take, wanted } from '../../src/round/index.ts';
import type { Item, MemberSet } from '../../src/wire/index.ts';
import { canonical, Interned } from './canonical.ts';

/** One member, all of it: what its disk holds. */
export interface Local {
  readonly self: number;
  readonly machine: RoundState;
  /** Holders whose share of a silent member's seed came here, by `attempt/owner`. */
  readonly returned: Readonly<Record<string, MemberSet>>;
  /** Everything that unmasks and has left this member: `seed/attempt` and `seedShare/attempt/owner`. */
  readonly left: readonly string[];
  /** Sets that were masked, by attempt. */
  readonly masks: Readonly<Record<number, MemberSet>>;
  /** Secrets of attempts below this are destroyed. */
  readonly erased: number;
  /** The new state that is stored here. */
  readonly stored: Digest | undefined;
}

/** What a member wants, sorted by who has to act. */
export interface Wants {
  readonly posts: readonly RoundPost[];
  readonly requests: readonly { readonly from: number; readonly item: Item; readonly input: Input; readonly inputKey: string }[];
  readonly work: readonly Exclude<Effect, { readonly kind: 'post' | 'request' | 'answer' }>[];
  readonly requested: ReadonlySet<string>;
}

type Answer = Extract<Effect, { readonly kind: 'answer' }>;
type Kept = Omit<Local, 'self' | 'machine'>;

/** A local state, and how it was first reached: by an input, or by a change of what performers keep. */
interface Reached {
  readonly local: Local;
  readonly from: number | undefined;
  readonly input: Input | undefined;
}

/** All local states that were met. */
export class Locals {
  readonly configs: readonly RoundConfig[];
  readonly #reached = new Interned<Reached>();
  readonly #steps: Map<string, { readonly to: number; readonly answers: readonly Answer[] }>[] = [];
  readonly #wants: (Wants | undefined)[] = [];
  /** Local steps that changed something, for the search for circles. */
  readonly edges: Set<number>[] = [];

  constructor(configs: readonly RoundConfig[]) {
    this.configs = configs;
  }

  get size(): number {
    return this.#reached.size;
  }

  start(self: number): number {
    return this.#add({ self, machine: initialState(), returned: {}, left: [], masks: {}, erased: 0, stored: undefined }, undefined, undefined);
  }

  get(id: number): Local {
    return this.#reached.get(id).local;
  }

  take(id: number, input: Input, key = JSON.stringify(input)): { readonly to: number; readonly answers: readonly Answer[] } {
    const steps = this.#steps[id] ?? new Map();
    this.#steps[id] = steps;
    const known = steps.get(key);
    if (known) return known;
    const local = this.get(id);
    const { state, effects } = take(this.#config(local.self), local.machine, input);
    const step = { to: this.#add({ ...local, machine: state }, id, input), answers: effects.filter((effect) => effect.kind === 'answer') };
    steps.set(key, step);
    return step;
  }

  /** The same member with something else on its disk. */
  keep(id: number, change: Partial<Kept>): number {
    return this.#add({ ...this.get(id), ...change }, id, undefined);
  }

  wants(id: number): Wants {
    const known = this.#wants[id];
    if (known) return known;
    const { self, machine } = this.get(id);
    const effects = wanted(this.#config(self), machine);
    const requests = effects.flatMap((effect) => {
      if (effect.kind !== 'request') return [];
      const input: Input = { kind: 'requested', by: self, item: effect.item };
      return [{ ...effect, input, inputKey: JSON.stringify(input) }];
    });
    const wants: Wants = {
      posts: effects.flatMap((effect) => (effect.kind === 'post' ? [effect.post] : [])),
      requests,
      work: effects.flatMap((effect) => (effect.kind === 'post' || effect.kind === 'request' || effect.kind === 'answer' ? [] : [effect])),
      requested: new Set(requests.map(({ from, item }) => `${from}/${itemKey(item)}`)),
    };
    this.#wants[id] = wants;
    return wants;
  }

  /** The member after a restart: the fold of its journal, read back from text. */
  restarted(id: number): number {
    const local = this.get(id);
    const journal = this.#journal(id).map((input): Input => JSON.parse(JSON.stringify(input)));
    const machine = journal.reduce((state, input) => take(this.#config(local.self), state, input).state, initialState());
    return this.#add({ ...local, machine }, id, undefined);
  }

  #journal(id: number): readonly Input[] {
    const inputs: Input[] = [];
    for (let at: number | undefined = id; at !== undefined; at = this.#reached.get(at).from) {
      const { input } = this.#reached.get(at);
      if (input) inputs.push(input);
    }
    return inputs.reverse();
  }

  #config(self: number): RoundConfig {
    return this.configs[self] as RoundConfig;
  }

  #add(local: Local, from: number | undefined, input: Input | undefined): number {
    const id = this.#reached.add(canonical(local), () => ({ local, from, input }));
    if (from !== undefined && from !== id) {
      const edges = this.edges[from] ?? new Set();
      this.edges[from] = edges.add(id);
    }
    return id;
  }
}
