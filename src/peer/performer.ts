/** Performs the effects of one live round with real parts and says what came of them. An undefined outcome is tried again while it is wanted. */
import { planSizeBytes, type RoundState as RunState, type SumPlan } from '../aggregation/index.ts';
import { type Clock, type Digest, isSwarmError, type Logger, type PeerId } from '../common/index.ts';
import type { Ledger } from '../ledger/index.ts';
import type { Network } from '../network/index.ts';
import type { Effect, Input, RoundPost } from '../round/index.ts';
import { modelDigest } from '../tensor/index.ts';
import { encodeMessage, type MemberSet } from '../wire/index.ts';
import { fetchMs } from './limits.ts';
import type { LiveRound } from './live-round.ts';
import { type LocalRows, localWords, prepareTrainer } from './local-work.ts';
import type { Question } from './question.ts';
import type { BlobStore } from './store/blobs.ts';

/** What the rounds of one run share. */
export interface RunParts {
  readonly question: Question;
  readonly rows: LocalRows;
  readonly ledger: Ledger;
  readonly network: Network;
  readonly blobs: BlobStore;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The peer id of a member by its index in the run. */
  readonly peerOf: (member: number) => PeerId | undefined;
  /** The state behind a hash, where it is stored here. */
  readonly stateOf: (hash: Digest) => RunState | undefined;
}

/** Performs effects; holds which standardisation the trainer is prepared for. */
export class Performer {
  readonly #parts: RunParts;
  #preparedFor: string | undefined;

  constructor(parts: RunParts) {
    this.#parts = parts;
  }

  /** Carries out one effect. Errors of remote or ledger origin are logged and end in undefined; own defects are thrown. */
  async perform(live: LiveRound, effect: Effect, signal: AbortSignal): Promise<Input | undefined> {
    switch (effect.kind) {
      case 'makeBundle': {
        const { self, terms } = live.config;
        return {
          kind: 'bundleMade',
          bundle: live.custody.makeBundle({ context: effect.context, self, roster: effect.roster, threshold: effect.threshold, attempts: terms.maxAttempts }),
        };
      }
      case 'prepareInput':
        return this.#prepareInput(live, signal);
      case 'post':
        return this.#post(live, effect.post, signal);
      case 'request':
        this.#send(live, effect.from, { kind: 'request', item: effect.item });
        return undefined;
      case 'answer': {
        const body = live.custody.answer(effect.to, effect.item);
        if (body) this.#send(live, effect.to, body);
        return undefined;
      }
      case 'mask': {
        const root = live.custody.mask(this.#plan(live), effect.attempt, effect.set);
        return root === undefined ? { kind: 'maskLost', attempt: effect.attempt } : { kind: 'masked', attempt: effect.attempt, root };
      }
      case 'fetchVector':
        return this.#fetchVector(live, effect, signal);
      case 'sum': {
        const sum = this.#sum(live, effect.set);
        return sum && { kind: 'summed', attempt: effect.attempt, sum: sum.digest };
      }
      case 'unmask':
        return this.#unmask(live, effect);
      case 'erase':
        live.custody.erase(effect.below);
        if (effect.below >= live.config.terms.maxAttempts) live.custody.forgetVectors();
        return { kind: 'erased', below: effect.below };
      case 'fetchState':
        return this.#fetchState(effect, signal);
    }
  }

  #base(live: LiveRound): RunState | undefined {
    const base = live.state.ground.base;
    return base === undefined ? undefined : this.#parts.stateOf(base);
  }

  #plan(live: LiveRound): SumPlan {
    return this.#parts.question.plan(this.#base(live) ?? { ordinal: 0 });
  }

  async #prepareInput(live: LiveRound, signal: AbortSignal): Promise<Input | undefined> {
    const state = this.#base(live);
    if (!state) return undefined;
    if (!live.custody.hasWords()) {
      const { question, rows } = this.#parts;
      const prepared = state.standardisation ? 'swarm' : 'raw';
      if (question.plan(state).purpose === 'update' && this.#preparedFor !== prepared) {
        await prepareTrainer(question, rows, state, signal);
        this.#preparedFor = prepared;
      }
      try {
        live.custody.setWords(await localWords(question, rows, state, signal));
      } catch (error) {
        this.#preparedFor = undefined;
        throw error;
      }
    }
    return { kind: 'inputReady' };
  }

  async #post(live: LiveRound, post: RoundPost, signal: AbortSignal): Promise<undefined> {
    try {
      await this.#parts.ledger.submit({ ...post, ...live.key }, { signal });
    } catch (error) {
      if (!isSwarmError(error) || error.blame === 'self') throw error;
      this.#parts.logger.debug('transaction not accepted', { kind: post.kind, round: live.key.round, reason: error.message });
    }
  }

  #send(live: LiveRound, to: number, body: Parameters<typeof encodeMessage>[0]['body']): void {
    const peer = this.#parts.peerOf(to);
    const { context } = live.state.ground;
    if (peer && context) this.#parts.network.send(peer, encodeMessage({ context, body }));
  }

  #peersOf(members: MemberSet): readonly PeerId[] {
    return members.flatMap((member) => this.#parts.peerOf(member) ?? []);
  }

  async #fetch(root: Digest, sizeBytes: number, holders: MemberSet, signal: AbortSignal): Promise<Uint8Array | undefined> {
    const { network, clock, logger, blobs } = this.#parts;
    const stored = blobs.get(root);
    if (stored) return stored;
    try {
      return await network.fetch({ root, sizeBytes }, this.#peersOf(holders), { signal: clock.timeout(fetchMs, { signal }) });
    } catch (error) {
      if (!isSwarmError(error)) throw error;
      logger.debug('content not fetched', { root, reason: error.message });
      return undefined;
    }
  }

  async #fetchVector(live: LiveRound, effect: Effect & { kind: 'fetchVector' }, signal: AbortSignal): Promise<Input | undefined> {
    const bytes = await this.#fetch(effect.root, planSizeBytes(this.#plan(live)), effect.holders, signal);
    if (!bytes) return undefined;
    live.custody.addVector(bytes);
    return { kind: 'vectorHeld', attempt: effect.attempt, member: effect.member };
  }

  #sum(live: LiveRound, set: MemberSet): { readonly bytes: Uint8Array; readonly digest: Digest } | undefined {
    return 'roots' in live.state ? live.custody.sum(this.#plan(live), live.state.roots, set) : undefined;
  }

  #unmask(live: LiveRound, { attempt, set }: Effect & { kind: 'unmask' }): Input | undefined {
    const base = this.#base(live);
    const masked = this.#sum(live, set);
    if (!base || !masked) return undefined;
    const next = this.#parts.question.next(base, live.custody.unmask(this.#plan(live), masked.bytes, attempt, set));
    this.#parts.blobs.put(next.bytes);
    live.computed = { state: next.state, hash: next.hash, figures: next.figures };
    return { kind: 'unmasked', attempt, state: next.hash, model: modelDigest(next.state.parameters), nextPlan: next.nextPlan };
  }

  async #fetchState(effect: Effect & { kind: 'fetchState' }, signal: AbortSignal): Promise<Input | undefined> {
    const bytes = await this.#fetch(effect.state, this.#parts.question.stateSizeBytes(1), effect.holders, signal);
    if (!bytes) return undefined;
    this.#parts.blobs.put(bytes);
    return { kind: 'stateHeld', state: effect.state };
  }
}
