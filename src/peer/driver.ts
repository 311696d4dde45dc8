/**
 * The driver of one run: the only loop that feeds round machines. Inputs are stepped, stored, then adopted, and only then are effects
 * performed: persist before send. What is wanted is looked at again on every tick, so nothing that was lost stays lost.
 */
import { planDigest } from '../aggregation/index.ts';
import { type Account, type Digest, isSwarmError } from '../common/index.ts';
import type { LedgerTransaction } from '../ledger/index.ts';
import { accountsOf, differencingRisk, type Effect, effectKey, fewestApart, type Input, itemKey, type RoundConfig, wanted } from '../round/index.ts';
import type { MessageBody, PeerMessage, RoundFact } from '../wire/index.ts';
import { accept } from './acceptance.ts';
import type { RunView } from './consortium.ts';
import { Custody } from './custody.ts';
import type { DriverParts, Due, Prepared, Preview } from './driver-parts.ts';
import { figuresSubject } from './figures.ts';
import { KeptStates } from './kept-states.ts';
import { liveRounds, postAgainMs, shareGraceS } from './limits.ts';
import { itemOf, LiveRound } from './live-round.ts';
import { trainingRowsOf } from './local-work.ts';
import type { RunState } from './next-state.ts';
import { Performer } from './performer.ts';
import { Releases } from './releases.ts';
import { isSuspended, roundAbandoned, rowsDominate, setTooClose, stateDiffers } from './troubles.ts';

/** One run at one member. */
export class RunDriver {
  readonly #run: RunView;
  readonly #self: number;
  readonly #parts: DriverParts;
  readonly #releases: Releases;
  readonly #live = new Map<number, LiveRound>();
  /** What came since the event loop's last turn, and whom to tell once it is taken. */
  readonly #arrived: { readonly live: LiveRound; readonly input: Input; readonly taken: (() => void) | undefined }[] = [];
  readonly #states: KeptStates;
  readonly #stop = new AbortController();
  #prepared: Prepared | undefined;
  #performer: Performer | undefined;
  #rejoinedFor = -1;
  #trouble: string | undefined;
  #diverged = false;
  #hasCaughtUp = false;
  #hasDeclined = false;

  constructor(run: RunView, account: Account, parts: DriverParts) {
    this.#run = run;
    this.#self = run.roster.indexOf(account);
    this.#parts = parts;
    this.#states = new KeptStates(parts.blobs, parts.keptElsewhere);
    this.#releases = new Releases(run, parts.journal, parts.own);
    for (const view of run.rounds.slice(-liveRounds)) this.#live.set(view.round, this.#liveRound(view.round, view.base));
    for (const live of this.#live.values()) this.#releases.remember(live.state.ground);
  }

  /** This member's index in the run. */
  get self(): number {
    return this.#self;
  }

  /** Accounts of the run by index. */
  get roster(): readonly Account[] {
    return this.#run.roster;
  }

  /** What keeps this member from working, in words; undefined where nothing does. */
  get trouble(): string | undefined {
    return this.#parts.view().suspended.includes(this.#self) ? isSuspended(this.#run.run) : this.#trouble;
  }

  /** The newest live round. */
  newest(): LiveRound | undefined {
    return [...this.#live.values()].at(-1);
  }

  /** The state behind a hash, where it is stored here. */
  stateOf(hash: Digest): RunState | undefined {
    const computed = [...this.#live.values()].find((live) => live.computed?.hash === hash)?.computed?.state;
    return computed ?? this.#states.get(hash);
  }

  /** Study, rows and trainer are there: from now on effects are performed. */
  prepared(prepared: Prepared): void {
    if (this.#stop.signal.aborted) return;
    const { ledger, network, blobs, bulk, clock, logger, peerIdOf } = this.#parts;
    this.#prepared = prepared;
    blobs.put(prepared.genesis.bytes);
    this.#performer = new Performer({
      question: prepared.question,
      rows: prepared.rows,
      auditKey: prepared.auditKey,
      ledger,
      network,
      blobs,
      bulk,
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
  preview({ facts, gone, timeS, isLatest }: Due): Preview {
    if (this.#stop.signal.aborted) return { inputs: [], adopt: () => undefined };
    const due = new Map<number, Input[]>();
    for (const { round, fact } of facts) {
      if (fact.kind === 'opened' && !this.#live.has(round)) this.#live.set(round, this.#liveRound(round, fact.base));
      const live = this.#live.get(round);
      const inputs = due.get(round) ?? [];
      due.set(round, inputs);
      if (live && this.#isGenuine(live, inputs, fact)) inputs.push({ kind: 'fact', fact });
    }
    const leaving: readonly Input[] = gone.length > 0 ? [{ kind: 'gone', members: gone, timeS }] : [];
    const previews = [...this.#live.values()].map((live) => this.#previewRound(live, [...(due.get(live.key.round) ?? []), ...leaving], timeS));
    return {
      inputs: previews.flatMap(({ live, inputs }) => inputs.map((input) => ({ ...live.key, input }))),
      adopt: () => {
        for (const { live, inputs, state, answers } of previews) if (inputs.length > 0) this.#adopt(live, state, answers);
        this.#forgetOld();
        this.#hasCaughtUp ||= isLatest;
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
    if (!live || from < 0 || from === this.#self || !this.#hasCaughtUp || this.#stop.signal.aborted) return;
    const { body } = message;
    if (body.kind === 'request') {
      if (live.state.ground.roster.includes(from)) this.#queue(live, { kind: 'requested', by: from, item: body.item });
      return;
    }
    if (live.wants(`request/${from}/${itemKey(itemOf(body))}`)) this.#take(live, from, body);
  }

  /** Whether a live round has this context. */
  knows(context: Digest): boolean {
    return [...this.#live.values()].some((round) => round.state.ground.context === context);
  }

  /** The run is over: every secret of its rounds is destroyed, its last state stays, and all work ends. */
  async close(): Promise<void> {
    for (const live of this.#live.values()) this.#forget(live);
    this.#live.clear();
    this.#states.forget(this.#parts.view(), true);
    await this[Symbol.asyncDispose]();
  }

  /** Ends all work of this run at this member; what is stored stays, so that a restart goes on. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    const rows = this.#prepared?.rows;
    if (rows && 'trainer' in rows) await rows.trainer[Symbol.asyncDispose]();
  }

  #liveRound(round: number, base: Digest): LiveRound {
    const { run, study, roster, terms } = this.#run;
    const { ledger, vault, blobs, bulk, journal, keyAgreement } = this.#parts;
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
    return new LiveRound(key, config, new Custody(key, vault, blobs, bulk, keyAgreement), journal.inputs(key));
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
    const moved = wanted(live.config, state).map(effectKey).join() !== [...live.wanted.keys()].join();
    return moved ? { live, inputs, state, answers } : { live, inputs: [], state: live.state, answers: [] };
  }

  /** Takes an input with all others that come before the event loop is at its next turn, so that they are stored at once: a disk's sync is what a round waits for. */
  #queue(live: LiveRound, input: Input, taken?: () => void): void {
    if (this.#arrived.length === 0) setImmediate(() => this.#turn());
    this.#arrived.push({ live, input, taken });
  }

  /** What comes for a round that is forgotten is too late: its journal would stay for ever. */
  #turn(): void {
    const arrived = this.#arrived.splice(0);
    if (this.#stop.signal.aborted) return;
    const due = [...this.#live.values()].flatMap((live) => {
      const inputs = arrived.filter((one) => one.live === live).map(({ input }) => input);
      return inputs.length > 0 ? [{ live, inputs }] : [];
    });
    try {
      for (const { live } of due) live.custody.flush();
      const previews = due.map(({ live, inputs }) => ({ live, inputs, ...live.preview(inputs) }));
      const changed = previews.filter((preview) => preview.changed);
      if (changed.length > 0) this.#parts.journal.append({ inputs: changed.flatMap(({ live, inputs }) => inputs.map((input) => ({ ...live.key, input }))) });
      for (const { live, state, answers, changed: isNew } of previews) {
        if (isNew) this.#adopt(live, state, answers);
        else for (const answer of answers) this.#perform(live, answer, effectKey(answer));
      }
    } catch (error) {
      this.#parts.failed(error);
      return;
    }
    for (const { taken } of arrived) taken?.();
    this.#pump();
  }

  #adopt(live: LiveRound, state: LiveRound['state'], answers: readonly Effect[]): void {
    const { ground } = state;
    if (ground.released && !live.state.ground.released) this.#releases.remember(ground);
    this.#sayRefusal(live, state);
    if (ground.abandoned && !live.state.ground.abandoned) this.#sayAbandoned(live);
    const closed = state.phase === 'final' && live.state.phase !== 'final';
    live.adopt(state);
    if (state.phase === 'final') this.#afterFinal(live, state, closed);
    for (const answer of answers) this.#perform(live, answer, effectKey(answer));
    this.#parts.changed();
  }

  #afterFinal(live: LiveRound, state: LiveRound['state'] & { phase: 'final' }, closed: boolean): void {
    const { journal, logger } = this.#parts;
    if (state.differs) {
      this.#diverged = true;
      this.#trouble = stateDiffers(live.key.round);
      logger.error('state differs from the one that was voted', { ...live.key });
    }
    const subject = figuresSubject(live.key.run, live.key.round);
    if (live.computed?.hash === state.state && !journal.note(subject)) journal.setNote(subject, live.computed.figures);
    if (closed) logger.info('round is final', { ...live.key, state: state.state, members: state.set.length });
  }

  /** A set that would open a member's values by subtraction is refused, and people are told who is missing. */
  #sayRefusal(live: LiveRound, state: LiveRound['state']): void {
    if (state.phase !== 'commit' || !differencingRisk(live.config, state.ground, state.set)) return;
    const missing = this.#releases.missing(state.ground.opened?.base ?? this.#run.base, state.set).map(this.#parts.nameOf);
    this.#trouble = setTooClose(fewestApart(live.config), missing);
  }

  /** The ledger holds transactions of this member that its journal does not know: its folder was set back to an earlier state. */
  #sayAbandoned({ key }: LiveRound): void {
    this.#trouble = roundAbandoned(key.round);
    this.#parts.logger.error('the ledger holds transactions of this member that the journal does not know: the round is abandoned', { ...key });
  }

  /** Whether a round is about to get the state that it starts from: then it is not asked of others. */
  #isOffered(live: LiveRound): boolean {
    return this.#arrived.some((one) => one.live === live && one.input.kind === 'baseReady');
  }

  /** Gives every open round the state that it starts from, once that is here. */
  #offerBases(): void {
    for (const live of this.#live.values()) {
      const { ground } = live.state;
      if (!this.#prepared || ground.base !== undefined || !ground.opened || this.#isOffered(live)) continue;
      const state = this.stateOf(ground.opened.base);
      if (!state || this.#declines(this.#prepared, state)) continue;
      const { question, groups } = this.#prepared;
      const plan = question.plan(state);
      const named = groups ? { groups } : {};
      this.#queue(live, { kind: 'baseReady', base: ground.opened.base, plan: planDigest(plan), exchange: question.exchange(plan), ...named });
    }
  }

  /** A sum in which one member's rows outweigh all others is nearly that member's own: it takes no part and leaves, so that nobody waits. */
  #declines({ question, rows }: Prepared, state: RunState): boolean {
    const share = question.dominantShare(state, trainingRowsOf(rows));
    if (share === undefined) return false;
    if (!this.#hasDeclined && !this.#parts.view().left.includes(this.#self)) this.#submit({ kind: 'leaveRun', run: this.#run.run });
    this.#hasDeclined = true;
    this.#trouble = rowsDominate(share);
    return true;
  }

  #submit(transaction: LedgerTransaction): void {
    this.#parts.ledger.submit(transaction, { signal: this.#stop.signal }).catch((error: unknown) => {
      if (transaction.kind === 'leaveRun') this.#hasDeclined = false;
      this.#parts.logger.warn('a transaction was not taken', {
        run: this.#run.run,
        kind: transaction.kind,
        reason: error instanceof Error ? error.message : String(error),
      });
    });
  }

  #pump(): void {
    if (this.#stop.signal.aborted || !this.#performer || !this.#hasCaughtUp) return;
    this.#offerBases();
    for (const live of this.#live.values()) if (!this.#isOffered(live)) for (const [key, effect] of live.wanted) this.#perform(live, effect, key);
    this.#rejoin();
  }

  #perform(live: LiveRound, effect: Effect, key: string): void {
    const { clock, logger, failed } = this.#parts;
    if (!this.#performer || this.#diverged || (effect.kind !== 'answer' && !live.pacing.begin(key, clock.nowMs()))) return;
    const end = (waitMs?: number): void => live.pacing.end(key, clock.nowMs(), waitMs);
    const task = this.#performer.perform(live, effect, this.#stop.signal);
    task.then(
      (outcome) => {
        const ended = (): void => end(effect.kind === 'post' ? postAgainMs : undefined);
        if (outcome && !this.#stop.signal.aborted) this.#queue(live, outcome, ended);
        else ended();
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
      const input = accept(live, from, body);
      if (input) this.#queue(live, input);
      else if (body.kind === 'bundle' || body.kind === 'bundleOf') this.#parts.logger.warn('a bundle does not fit the ledger', { ...live.key, from });
    } catch (error) {
      if (!isSwarmError(error) || error.blame !== 'remote') return this.#parts.failed(error);
      this.#parts.logger.warn('a message was refused', { ...live.key, from, kind: body.kind, code: error.code, reason: error.message });
      if (body.kind === 'bundle') this.#queue(live, { kind: 'bundleRefused', from });
      if (body.kind === 'bundleOf') this.#queue(live, { kind: 'bundleRefused', from: body.owner });
    }
  }

  /** A member that dropped out and holds the newest state asks to be expected again. */
  #rejoin(): void {
    const live = this.newest();
    if (!live || this.#rejoinedFor >= live.key.round) return;
    const { ground, phase } = live.state;
    const { suspended, left } = this.#parts.view();
    if (suspended.includes(this.#self) || left.includes(this.#self)) return;
    const absent = ground.opened !== undefined && !ground.roster.includes(this.#self) && phase !== 'final' && phase !== 'void';
    if (!absent || ground.base === undefined) return;
    this.#rejoinedFor = live.key.round;
    this.#submit({ kind: 'rejoinRun', run: this.#run.run });
  }

  #forgetOld(): void {
    for (const round of [...this.#live.keys()].slice(0, -liveRounds)) {
      const live = this.#live.get(round);
      this.#live.delete(round);
      if (live) this.#forget(live);
    }
  }

  /** Secrets, masked vectors and journal of a round go; so do states that no roll-back may ask for any more. */
  #forget(live: LiveRound): void {
    live.erase(this.#run.terms.maxAttempts);
    live.custody.forgetVectors();
    this.#parts.journal.forgetRound(live.key);
    this.#states.forget(this.#parts.view(), false);
  }
}
