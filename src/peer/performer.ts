/** Performs the effects of one live round with real parts and says what came of them. An undefined outcome is tried again while it is wanted. */
import { leavesOfTree, planSizeBytes, type SumPlan } from '../aggregation/index.ts';
import { assert, type Clock, type Digest, isSwarmError, type Logger, type PeerId } from '../common/index.ts';
import type { Ledger } from '../ledger/index.ts';
import type { ChunkRange, Network } from '../network/index.ts';
import { type Effect, effectKey, type Input, isGrouped, ownGroup, type RoundPost, rootOf, treeOf } from '../round/index.ts';
import { encodeMessage, type Item, type MemberSet, type MessageBody } from '../wire/index.ts';
import type { Bulk, SumSource } from './bulk/bulk.ts';
import type { MaskedSet } from './custody.ts';
import { fetchMs } from './limits.ts';
import type { LiveRound } from './live-round.ts';
import { type LocalRows, localWords, ownLoss, prepareTrainer, type TrainingRows } from './local-work.ts';
import type { RunState } from './next-state.ts';
import type { Question } from './question.ts';
import { type Fetch, ShardWork } from './shard-work.ts';
import type { BlobStore } from './store/blobs.ts';
import type { TrainingQuestion } from './training-question.ts';

/** What the rounds of one run share. */
export interface RunParts {
  readonly question: Question;
  readonly rows: LocalRows;
  readonly ledger: Ledger;
  readonly network: Network;
  readonly blobs: BlobStore;
  readonly bulk: Bulk;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The public half of the institution's offline key, where the study has an audit window. */
  readonly auditKey?: Uint8Array | undefined;
  /** The peer id of a member by its index in the run. */
  readonly peerOf: (member: number) => PeerId | undefined;
  /** The state behind a hash, where it is stored here. */
  readonly stateOf: (hash: Digest) => RunState | undefined;
}

function setOf({ state }: LiveRound): MemberSet {
  return 'set' in state ? state.set : [];
}

/** What this member announces of a shard: the root of its own sum. */
function announcement({ state }: LiveRound, item: Item & { kind: 'shardSum' }): MessageBody | undefined {
  const root = state.phase === 'ready' ? state.gather?.shards[item.shard]?.summed : undefined;
  return root && { ...item, root };
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
    const named = { ...live.key, effect: effectKey(effect) };
    this.#parts.logger.debug('an effect begins', named);
    const outcome = await this.#carryOut(live, effect, signal);
    this.#parts.logger.debug('an effect has ended', { ...named, outcome: outcome?.kind });
    return outcome;
  }

  async #carryOut(live: LiveRound, effect: Effect, signal: AbortSignal): Promise<Input | undefined> {
    switch (effect.kind) {
      case 'makeBundle': {
        const { self, terms } = live.config;
        return {
          kind: 'bundleMade',
          bundle: live.custody.makeBundle({
            context: effect.context,
            self,
            roster: effect.roster,
            threshold: effect.threshold,
            attempts: terms.maxAttempts,
            generations: effect.generations,
          }),
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
        const body = answerOf(live, effect);
        if (body) this.#send(live, effect.to, body);
        return undefined;
      }
      case 'mask':
        return this.#mask(live, effect, signal);
      case 'fetchVector':
        return this.#fetchVector(live, effect, signal);
      case 'fetchPart':
        return this.#shards(live).fetchPart(effect, setOf(live), this.#fetcher(signal));
      case 'sumShard':
        return this.#shards(live).sum(effect, { signal });
      case 'print':
        return this.#shards(live).print(effect, { signal });
      case 'checkShard':
        return this.#shards(live).check(effect, this.#fetcher(signal), { signal });
      case 'auditPart':
        return this.#shards(live).audit(effect, this.#fetcher(signal), { signal });
      case 'sum':
        return this.#summed(live, effect, signal);
      case 'fetchGroup':
        return this.#fetchGroup(live, effect, signal);
      case 'unmask':
        return this.#unmask(live, effect, signal);
      case 'erase':
        live.erase(effect.below);
        if (effect.below >= live.config.terms.maxAttempts) live.custody.forgetVectors();
        return { kind: 'erased', below: effect.below };
      case 'fetchState':
        return this.#fetchState(effect, signal);
    }
  }

  async #mask(live: LiveRound, { attempt, set }: Effect & { kind: 'mask' }, signal: AbortSignal): Promise<Input> {
    const root = await live.custody.mask(this.#plan(live), attempt, maskedSet(live, set), { signal, auditKey: this.#parts.auditKey });
    return root === undefined ? { kind: 'maskLost', attempt } : { kind: 'masked', attempt, root };
  }

  /** The digest of the sum; in groups the root under which the own group's is stored. */
  async #summed(live: LiveRound, { attempt, set }: Effect & { kind: 'sum' }, signal: AbortSignal): Promise<Input | undefined> {
    const source = this.#source(live, set);
    const step = isGrouped(live.config) ? 'storeSum' : 'sum';
    const sum = source && (await this.#parts.bulk.run(step, { plan: this.#plan(live), source }, { signal }));
    if (sum && step === 'storeSum') live.custody.addVector(sum);
    return sum && { kind: 'summed', attempt, sum };
  }

  async #fetchGroup(live: LiveRound, effect: Effect & { kind: 'fetchGroup' }, signal: AbortSignal): Promise<Input | undefined> {
    live.custody.addVector(effect.root);
    const held = await this.#fetch(effect.root, planSizeBytes(this.#plan(live)), effect.holders, signal);
    return held ? { kind: 'groupHeld', attempt: effect.attempt, group: effect.group } : undefined;
  }

  /** What the set gives without masks: the plain sum, the merged open vectors, or what all groups give together; undefined where something is missing. */
  async #opened(live: LiveRound, attempt: number, set: MemberSet, signal: AbortSignal): Promise<Uint8Array | undefined> {
    const plan = this.#plan(live);
    if (isGrouped(live.config)) return this.#openedGroups(live, attempt, set, signal);
    const source = this.#source(live, set);
    return source && (await live.custody.unmask(plan, source, attempt, maskedSet(live, set), { signal }));
  }

  async #openedGroups(live: LiveRound, attempt: number, set: MemberSet, signal: AbortSignal): Promise<Uint8Array | undefined> {
    const { config, state, custody } = live;
    const base = this.#base(live);
    if (state.phase !== 'reveal' || !base) return undefined;
    const tree = treeOf(config, state.ground, set);
    const sums: Uint8Array[] = [];
    for (const group of leavesOfTree(tree)) {
      if (live.state.phase !== 'reveal') return undefined;
      const root = rootOf(config, state, group);
      const source: SumSource | undefined = root && { kind: 'vectors', roots: [root] };
      const sum = source && (await custody.unmask(this.#plan(live), source, attempt, { set: group, within: set, open: false }, { signal }));
      if (!sum) return undefined;
      sums.push(sum);
    }
    return this.#training().question.mergeGroups(base, tree, sums, this.#parts.bulk, { signal });
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
      const { question, rows, bulk } = this.#parts;
      if (question.plan(state).purpose === 'update') await this.#prepareTrainer(state, signal);
      try {
        const hash = live.state.ground.base;
        if (hash === undefined) return undefined;
        await live.custody.setWords(async (place) => {
          live.steps = await localWords(question, rows, { state, hash }, place, bulk, signal);
        }, live.config.terms);
      } catch (error) {
        this.#preparedFor = undefined;
        throw error;
      }
    }
    return { kind: 'inputReady' };
  }

  async #prepareTrainer(state: RunState, signal: AbortSignal): Promise<void> {
    assert('parameters' in state, 'a model is trained from a model');
    const scale = state.standardisation ? 'swarm' : 'raw';
    if (this.#preparedFor === scale) return;
    const { question, rows } = this.#training();
    await prepareTrainer(question, rows, state, signal);
    this.#preparedFor = scale;
  }

  async #post(live: LiveRound, post: RoundPost, signal: AbortSignal): Promise<undefined> {
    try {
      await this.#parts.ledger.submit({ ...post, ...live.key }, { signal });
    } catch (error) {
      if (!isSwarmError(error) || error.blame === 'self') throw error;
      this.#parts.logger.debug('transaction not accepted', { kind: post.kind, round: live.key.round, reason: error.message });
    }
  }

  /** Question and rows of a run that trains. */
  #training(): { readonly question: TrainingQuestion; readonly rows: TrainingRows } {
    const { question, rows } = this.#parts;
    assert(question.kind === 'training' && 'table' in rows, 'only a run that trains has a trainer, groups or open vectors');
    return { question, rows };
  }

  #shards(live: LiveRound): ShardWork {
    return new ShardWork(live, this.#plan(live), this.#parts.bulk);
  }

  #fetcher(signal: AbortSignal): Fetch {
    return ({ root, sizeBytes }, holders, range) => this.#fetch(root, sizeBytes, holders, signal, range);
  }

  #send(live: LiveRound, to: number, body: Parameters<typeof encodeMessage>[0]['body']): void {
    const peer = this.#parts.peerOf(to);
    const { context } = live.state.ground;
    if (peer && context) this.#parts.network.send(peer, encodeMessage({ context, body }, live.config.terms.protocol));
  }

  #peersOf(members: MemberSet): readonly PeerId[] {
    return members.flatMap((member) => this.#parts.peerOf(member) ?? []);
  }

  /** Whether the content, or the range of it that is wanted, is here, after a fetch where it was not. What a fetch that failed has brought stays for the next. */
  async #fetch(root: Digest, sizeBytes: number, holders: MemberSet, signal: AbortSignal, range?: ChunkRange): Promise<boolean> {
    const { network, clock, logger, blobs } = this.#parts;
    if (blobs.size(root) === sizeBytes) return true;
    try {
      const partial = blobs.partial({ root, sizeBytes });
      const options = { signal: clock.timeout(fetchMs, { signal }) };
      await network.fetch({ root, sizeBytes }, partial, this.#peersOf(holders), range ? { ...options, range } : options);
      return range !== undefined || (await partial.complete());
    } catch (error) {
      if (!isSwarmError(error) || error.blame !== 'remote') throw error;
      logger.debug('content not fetched', { root, reason: error.message });
      return false;
    }
  }

  async #fetchVector(live: LiveRound, effect: Effect & { kind: 'fetchVector' }, signal: AbortSignal): Promise<Input | undefined> {
    live.custody.addVector(effect.root);
    const held = await this.#fetch(effect.root, planSizeBytes(this.#plan(live)), effect.holders, signal);
    return held ? { kind: 'vectorHeld', attempt: effect.attempt, member: effect.member } : undefined;
  }

  /** Where the masked sum over a set comes from; undefined where something of it is not here yet. */
  #source(live: LiveRound, set: MemberSet): SumSource | undefined {
    if (live.state.ground.exchange.kind === 'reduce-scatter') return this.#shards(live).source(set);
    const known = 'roots' in live.state ? live.state.roots : {};
    const roots = set.flatMap((member) => known[member] ?? []);
    const base = this.#base(live);
    if (roots.length !== set.length || !base) return undefined;
    return live.config.terms.open ? { kind: 'open', roots, terms: this.#training().question.mergeTerms(base) } : { kind: 'vectors', roots };
  }

  async #unmask(live: LiveRound, { attempt, set }: Effect & { kind: 'unmask' }, signal: AbortSignal): Promise<Input | undefined> {
    const { question, bulk } = this.#parts;
    const [state, hash] = [this.#base(live), live.state.ground.base];
    if (!state || hash === undefined) return undefined;
    const sum = await this.#opened(live, attempt, set, signal);
    const next = sum && (await question.next(state, hash, sum, bulk, { signal }));
    if (!next) return undefined;
    const agreed = await this.#agrees(state, next.state, signal);
    const steps = live.steps ? { steps: live.steps } : {};
    live.computed = { state: next.state, hash: next.hash, figures: { ...next.figures, ...steps, ...(agreed === undefined ? {} : { agreed }) } };
    return { kind: 'unmasked', attempt, accept: agreed ?? true, state: next.hash, model: next.model, nextPlan: next.nextPlan };
  }

  /** Scores the model before and after on this member's own test rows; only the answer leaves the house. Undefined where the study does not ask. */
  async #agrees(base: RunState, next: RunState, signal: AbortSignal): Promise<boolean | undefined> {
    if (!this.#parts.question.isValidated(base) || !('parameters' in base && 'parameters' in next)) return undefined;
    const { question, rows } = this.#training();
    await this.#prepareTrainer(base, signal);
    try {
      return question.agrees(await ownLoss(question, rows, base, signal), await ownLoss(question, rows, next, signal));
    } catch (error) {
      this.#preparedFor = undefined;
      throw error;
    }
  }

  async #fetchState(effect: Effect & { kind: 'fetchState' }, signal: AbortSignal): Promise<Input | undefined> {
    const held = await this.#fetch(effect.state, this.#parts.question.stateSizeBytes(1), effect.holders, signal);
    return held ? { kind: 'stateHeld', state: effect.state } : undefined;
  }
}

/** Whom this member masks with: the set, or its own group within it. */
function maskedSet({ config, state }: LiveRound, set: MemberSet): MaskedSet {
  const { open } = config.terms;
  return isGrouped(config) ? { set: ownGroup(config, state.ground, set), within: set, open } : { set, open };
}

/** What a member asked for, as a message; roots of sums are in the machine's state. */
function answerOf(live: LiveRound, { to, item }: Effect & { kind: 'answer' }): MessageBody | undefined {
  if (item.kind === 'shardSum') return announcement(live, item);
  if (item.kind !== 'groupSum') return live.custody.answer(to, item);
  const root = 'sum' in live.state ? live.state.sum : undefined;
  return root && { kind: 'groupSum', attempt: item.attempt, root };
}
