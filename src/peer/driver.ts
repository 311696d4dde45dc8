/**
 * The driver of one run: the only loop that feeds round machines. Inputs are stepped, stored, then adopted, and only then are effects
 * performed: persist before send. What is wanted is looked at again on every tick, so nothing that was lost stays lost.
 */
import { type Bundle, bundleDigest, planDigest, type RoundState as RunState, stateFromBytes } from '../aggregation/index.ts';
import { type Account, type Clock, type Digest, isSwarmError, type Logger, type PeerId } from '../common/index.ts';
import type { Ledger } from '../ledger/index.ts';
import type { Network } from '../network/index.ts';
import { accountsOf, differencingRisk, type Effect, effectKey, type Input, itemKey, type RoundConfig, wanted } from '../round/index.ts';
import type { MessageBody, PeerMessage, RoundFact } from '../wire/index.ts';
import type { RunView } from './consortium.ts';
import { Custody } from './custody.ts';
import { figuresSubject } from './figures.ts';
import { liveRounds, postAgainMs, shareGraceS } from './limits.ts';
import { itemOf, LiveRound } from './live-round.ts';
import type { LocalRows } from './local-work.ts';
import { Performer } from './performer.ts';
import type { Question } from './question.ts';
import { Releases } from './releases.ts';
import type { BlobStore } from './store/blobs.ts';
import type { Journal, JournalInput } from './store/journal.ts';
import type { Vault } from './store/vault.ts';

/** What a driver works with. */
export interface DriverParts {
  readonly ledger: Ledger;
  readonly network: Network;
  readonly journal: Journal;
  readonly vault: Vault;
  readonly blobs: BlobStore;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly peerIdOf: (account: Account) => PeerId | undefined;
  readonly nameOf: (account: Account) => string;
  /** What the shared statistics of this study depend on at this member; undefined where it has none, or has not approved. */
  readonly statisticsBase: Digest | undefined;
  /** Called when something happened that people see. */
  readonly changed: () => void;
  /** Called once with an error after which the peer cannot go on. */
  readonly failed: (error: unknown) => void;
}

/** A round fact on its way into a machine. */
export interface DueFact {
  readonly round: number;
  readonly fact: RoundFact;
}

/** What has to be stored together with the facts of a batch, and what to do once it is. */
export interface Preview {
  readonly inputs: readonly JournalInput[];
  readonly adopt: () => void;
}

/** Everything a run needs once its study and rows are there. */
export interface Prepared {
  readonly question: Question;
  readonly rows: LocalRows;
  readonly genesis: { readonly bytes: Uint8Array; readonly hash: Digest };
}

/** One run at one member. */
export class RunDriver {
  readonly #run: RunView;
  readonly #self: number;
  readonly #parts: DriverParts;
  readonly #releases: Releases;
  readonly #live = new Map<number, LiveRound>();
  readonly #states = new Map<Digest, RunState>();
  readonly #stop = new AbortController();
  #prepared: Prepared | undefined;
  #performer: Performer | undefined;
  #rejoinedFor = -1;
  #trouble: string | undefined;
  #diverged = false;

  constructor(run: RunView, account: Account, parts: DriverParts) {
    this.#run = run;
    this.#self = run.roster.indexOf(account);
    this.#parts = parts;
    this.#releases = new Releases(run, parts.journal, parts.statisticsBase);
    for (const view of run.rounds.slice(-liveRounds)) this.#live.set(view.round, this.#liveRound(view.round, view.base));
    for (const live of this.#live.values()) this.#releases.remember(live.state.ground);
  }

  /** This member's index in the run. */
  get self(): number {
    return this.#self;
  }

  /** What keeps this member from working, in words; undefined where nothing does. */
  get trouble(): string | undefined {
    return this.#trouble;
  }

  /** The newest live round. */
  newest(): LiveRound | undefined {
    return [...this.#live.values()].at(-1);
  }

  /** The state behind a hash, where it is stored here. */
  stateOf(hash: Digest): RunState | undefined {
    const known = this.#states.get(hash);
    if (known) return known;
    const bytes = this.#parts.blobs.get(hash);
    if (!bytes) return undefined;
    const state = stateFromBytes(bytes);
    this.#states.set(hash, state);
    return state;
  }

  /** Study, rows and trainer are there: from now on effects are performed. */
  prepared(prepared: Prepared): void {
    if (this.#stop.signal.aborted) return;
    const { ledger, network, blobs, clock, logger, peerIdOf } = this.#parts;
    this.#prepared = prepared;
    blobs.put(prepared.genesis.bytes);
    this.#performer = new Performer({
      question: prepared.question,
      rows: prepared.rows,
      ledger,
      network,
      blobs,
      clock,
      logger,
      peerOf: (member) => {
        const account = this.#run.roster[member];
        return account && peerIdOf(account);
      },
      stateOf: (hash) => this.stateOf(hash),
    });
    this.#pump();
  }

  /** Preparing failed: the member watches, and says why. */
  unprepared(reason: string): void {
    this.#trouble = reason;
    this.#parts.changed();
  }

  /** Steps through the facts of a batch; the caller stores the inputs with the facts, then calls `adopt`. */
  preview(facts: readonly DueFact[], timeS: number): Preview {
    const due = new Map<number, Input[]>();
    for (const { round, fact } of facts) {
      if (fact.kind === 'opened' && !this.#live.has(round)) this.#live.set(round, this.#liveRound(round, fact.base));
      const live = this.#live.get(round);
      const inputs = due.get(round) ?? [];
      due.set(round, inputs);
      if (live && this.#isGenuine(live, inputs, fact)) inputs.push({ kind: 'fact', fact });
    }
    const previews = [...this.#live.values()].map((live) => this.#previewRound(live, due.get(live.key.round) ?? [], timeS));
    return {
      inputs: previews.flatMap(({ live, inputs }) => inputs.map((input) => ({ ...live.key, input }))),
      adopt: () => {
        for (const { live, inputs, state, answers } of previews) if (inputs.length > 0) this.#adopt(live, state, answers);
        this.#forgetOld();
        this.#pump();
      },
    };
  }

  /** Looks again at everything that is wanted. */
  tick(): void {
    this.#pump();
  }

  /** Takes a member's message, if its round and what it brings are wanted now. */
  message(account: Account, message: PeerMessage): void {
    const from = this.#run.roster.indexOf(account);
    const live = [...this.#live.values()].find((round) => round.state.ground.context === message.context);
    if (!live || from < 0 || from === this.#self) return;
    const { body } = message;
    if (body.kind === 'request') {
      if (live.state.ground.roster.includes(from)) this.#feed(live, [{ kind: 'requested', by: from, item: body.item }]);
      return;
    }
    if (live.wants(`request/${from}/${itemKey(itemOf(body))}`)) this.#take(live, from, body);
  }

  /** Whether a live round has this context. */
  knows(context: Digest): boolean {
    return [...this.#live.values()].some((round) => round.state.ground.context === context);
  }

  /** The run is over: every secret of its rounds is destroyed, and all work ends. */
  async close(): Promise<void> {
    for (const live of this.#live.values()) this.#forget(live);
    await this[Symbol.asyncDispose]();
  }

  /** Ends all work of this run at this member; what is stored stays, so that a restart goes on. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#prepared?.rows.trainer[Symbol.asyncDispose]();
  }

  #liveRound(round: number, base: Digest): LiveRound {
    const { run, study, roster, terms } = this.#run;
    const { ledger, vault, blobs, journal } = this.#parts;
    const config: RoundConfig = {
      chainId: ledger.chainId,
      contract: ledger.contract,
      study,
      run,
      round,
      accounts: roster,
      self: this.#self,
      terms,
      shareGraceS,
      earlierReleases: this.#releases.on(base),
    };
    const key = { run, round };
    return new LiveRound(key, config, new Custody(key, vault, blobs), journal.inputs(key));
  }

  /** A READY counts only with a valid signature of its member over the set of its attempt. */
  #isGenuine(live: LiveRound, before: readonly Input[], fact: RoundFact): boolean {
    if (fact.kind !== 'ready') return true;
    const { state } = live.preview(before);
    if (!('roots' in state) || state.attempt !== fact.attempt) return false;
    const signer = this.#parts.ledger.readySigner({ ...fact, members: accountsOf(live.config, state.set) });
    const genuine = signer === this.#run.roster[fact.member];
    if (!genuine) this.#parts.logger.warn('READY with a wrong signature is not counted', { ...live.key, member: fact.member });
    return genuine;
  }

  /** Time alone is stored only where it changes what is wanted. */
  #previewRound(live: LiveRound, facts: readonly Input[], timeS: number) {
    const inputs: readonly Input[] = [...facts, { kind: 'time', timeS }];
    const { state, answers } = live.preview(inputs);
    if (facts.length > 0) return { live, inputs, state, answers };
    const before = live.effects.map(effectKey).join();
    const moved = wanted(live.config, state).map(effectKey).join() !== before;
    return moved ? { live, inputs, state, answers } : { live, inputs: [], state: live.state, answers: [] };
  }

  #feed(live: LiveRound, inputs: readonly Input[]): void {
    const { state, answers, changed } = live.preview(inputs);
    if (!changed && answers.length === 0) return;
    try {
      this.#parts.journal.append({ inputs: inputs.map((input) => ({ ...live.key, input })) });
      this.#adopt(live, state, answers);
    } catch (error) {
      this.#parts.failed(error);
      return;
    }
    this.#pump();
  }

  #adopt(live: LiveRound, state: LiveRound['state'], answers: readonly Effect[]): void {
    const { ground } = state;
    if (ground.released && !live.state.ground.released) this.#releases.remember(ground);
    this.#sayRefusal(live, state);
    const closed = state.phase === 'final' && live.state.phase !== 'final';
    live.adopt(state);
    if (state.phase === 'final') this.#afterFinal(live, state, closed);
    for (const answer of answers) this.#perform(live, answer);
    this.#parts.changed();
  }

  #afterFinal(live: LiveRound, state: LiveRound['state'] & { phase: 'final' }, closed: boolean): void {
    const { journal, logger } = this.#parts;
    if (state.differs) {
      this.#diverged = true;
      this.#trouble = `round ${live.key.round}: this peer computed another state than the one that was voted`;
      logger.error('state differs from the one that was voted', { ...live.key });
    }
    const subject = figuresSubject(live.key.run, live.key.round);
    if (live.computed?.hash === state.state && !journal.note(subject)) journal.setNote(subject, live.computed.figures);
    if (closed) this.#releases.settle(state.ground);
    if (closed) logger.info('round is final', { ...live.key, state: state.state, members: state.set.length });
  }

  /** A set that would open a member's values by subtraction is refused, and people are told who is missing. */
  #sayRefusal(live: LiveRound, state: LiveRound['state']): void {
    if (state.phase !== 'commit' || !differencingRisk(live.config, state.ground, state.set)) return;
    const missing = this.#releases.missing(state.ground.opened?.base ?? this.#run.base, state.set).map(this.#parts.nameOf);
    this.#trouble = `this member takes no part: the same sum was opened before over a list that differs by fewer than three members (missing now: ${missing.join(', ') || 'nobody, but others joined'})`;
  }

  /** Gives every open round the state that it starts from, once that is here. */
  #offerBases(): void {
    for (const live of this.#live.values()) {
      const { ground } = live.state;
      if (!this.#prepared || ground.base !== undefined || !ground.opened) continue;
      const state = this.stateOf(ground.opened.base);
      if (state) this.#feed(live, [{ kind: 'baseReady', base: ground.opened.base, plan: planDigest(this.#prepared.question.plan(state)) }]);
    }
  }

  #pump(): void {
    if (this.#stop.signal.aborted || !this.#performer) return;
    this.#offerBases();
    for (const live of this.#live.values()) for (const effect of live.effects) this.#perform(live, effect);
    this.#rejoin();
  }

  #perform(live: LiveRound, effect: Effect): void {
    const { clock, logger, failed } = this.#parts;
    const key = effectKey(effect);
    if (!this.#performer || this.#diverged || (effect.kind !== 'answer' && !live.pacing.begin(key, clock.nowMs()))) return;
    const end = (waitMs?: number): void => live.pacing.end(key, clock.nowMs(), waitMs);
    const task = this.#performer.perform(live, effect, this.#stop.signal);
    task.then(
      (outcome) => {
        end(effect.kind === 'post' ? postAgainMs : undefined);
        if (outcome && !this.#stop.signal.aborted) this.#feed(live, [outcome]);
      },
      (error: unknown) => {
        end();
        if (this.#stop.signal.aborted) return;
        if (!isSwarmError(error) || error.code === 'PEER_DISK_FULL' || error.code === 'PEER_STORE_FAILED') return failed(error);
        if (effect.kind === 'prepareInput') this.#trouble = error.message;
        logger.warn('an effect failed', { ...live.key, effect: key, code: error.code, reason: error.message });
      },
    );
  }

  /** Takes what was asked for; a wrong one is said and dropped, and is asked for again. */
  #take(live: LiveRound, from: number, body: Exclude<MessageBody, { readonly kind: 'request' }>): void {
    try {
      const input = this.#accept(live, from, body);
      if (input) this.#feed(live, [input]);
    } catch (error) {
      if (!isSwarmError(error) || error.blame !== 'remote') return this.#parts.failed(error);
      this.#parts.logger.warn('a message was refused', { ...live.key, from, kind: body.kind, code: error.code, reason: error.message });
      if (body.kind === 'bundle') this.#feed(live, [{ kind: 'bundleRefused', from }]);
    }
  }

  #accept(live: LiveRound, from: number, body: Exclude<MessageBody, { readonly kind: 'request' }>): Input | undefined {
    const { custody } = live;
    switch (body.kind) {
      case 'bundle':
        return this.#acceptBundle(live, from, body);
      case 'shares':
        custody.acceptShares(from, body);
        return { kind: 'sharesHeld', from };
      case 'seed':
        custody.acceptSeed(from, body.attempt, body.seed);
        return { kind: 'seedHeld', attempt: body.attempt, from };
      case 'seedShare':
        return custody.acceptSeedShare(body.owner, from, body.attempt, body) ? { kind: 'seedHeld', attempt: body.attempt, from: body.owner } : undefined;
    }
  }

  /** A bundle that does not fit the hash on the ledger says nothing about its member and is dropped. */
  #acceptBundle(live: LiveRound, from: number, bundle: Bundle): Input | undefined {
    const { context, joined } = live.state.ground;
    if (!context || bundleDigest(context, from, bundle) !== joined[from]) {
      this.#parts.logger.warn('a bundle does not fit the ledger', { ...live.key, from });
      return undefined;
    }
    live.custody.acceptBundle(from, bundle);
    return { kind: 'bundleHeld', from };
  }

  /** A member that dropped out and holds the newest state asks to be expected again. */
  #rejoin(): void {
    const live = this.newest();
    if (!live || this.#rejoinedFor >= live.key.round) return;
    const { ground, phase } = live.state;
    const absent = ground.opened !== undefined && !ground.roster.includes(this.#self) && phase !== 'final' && phase !== 'void';
    if (!absent || ground.base === undefined) return;
    this.#rejoinedFor = live.key.round;
    this.#parts.ledger.submit({ kind: 'rejoinRun', run: this.#run.run }, { signal: this.#stop.signal }).catch((error: unknown) => {
      this.#parts.logger.warn('could not ask to be expected again', { run: this.#run.run, reason: error instanceof Error ? error.message : String(error) });
    });
  }

  #forgetOld(): void {
    for (const round of [...this.#live.keys()].slice(0, -liveRounds)) {
      const live = this.#live.get(round);
      this.#live.delete(round);
      if (live) this.#forget(live);
    }
  }

  /** Secrets, masked vectors and journal of a round go; so does the state it started from, where no live round needs it. */
  #forget(live: LiveRound): void {
    live.custody.erase(this.#run.terms.maxAttempts);
    live.custody.forgetVectors();
    this.#parts.journal.forgetRound(live.key);
    const base = live.state.ground.opened?.base;
    const needed = [...this.#live.values()].some(({ state }) => state.ground.opened?.base === base || (state.phase === 'final' && state.state === base));
    if (base === undefined || needed) return;
    this.#parts.blobs.remove(base);
    this.#states.delete(base);
  }
}
