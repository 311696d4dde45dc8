/** The running institution: its parts, put together in one order, and the loop that follows the ledger. */
import { type Account, type Clock, isSwarmError, type Logger, type PeerId } from '../common/index.ts';
import { connectLedger, type LedgerBatch, type Member, signAccountMessage, verifyAccountSignature } from '../ledger/index.ts';
import { createNetwork, type NetworkCounters, signWithPeerKey } from '../network/index.ts';
import { createOnnxTrainer } from '../training/index.ts';
import { bindingStatement, decodeMessage, protocolVersions } from '../wire/index.ts';
import { Allowance } from './allowance.ts';
import { Approvals } from './approvals.ts';
import { createWorkerBulk } from './bulk/worker.ts';
import { collectGarbage } from './collect.ts';
import { readConfig, readConsortium } from './config.ts';
import { Consortium, type ProposalView } from './consortium.ts';
import type { PeerContext } from './context.ts';
import { DataSets } from './data-sets.ts';
import { peerErrors } from './errors.ts';
import { ledgerEndpoint, loadIdentity } from './home.ts';
import { shownFacts, tickMs } from './limits.ts';
import { removeOrphans } from './orphans.ts';
import { Runs } from './runs.ts';
import { BlobStore } from './store/blobs.ts';
import { Journal } from './store/journal.ts';
import { Vault } from './store/vault.ts';
import { Studies } from './studies.ts';

/** Whether this peer may take part, and if not, what it waits for. */
export type Membership =
  | { readonly kind: 'member' }
  | { readonly kind: 'revoked' }
  | { readonly kind: 'waiting'; readonly proposal: ProposalView | undefined; readonly missingVotes: readonly string[] };

/** A peer at a glance. */
export interface PeerStatus {
  readonly name: string;
  readonly account: Account;
  readonly peerId: PeerId;
  readonly addresses: readonly string[];
  readonly membership: Membership;
  readonly ledger: {
    readonly mode: string;
    readonly url: string;
    readonly chainId: number;
    readonly contract: Account;
    readonly block: number;
    readonly timeS: number;
    readonly silentS: number;
  };
  readonly connected: number;
  readonly others: number;
  readonly counters: NetworkCounters;
  /** Versions of the protocol that this peer speaks. */
  readonly versions: readonly number[];
  /** Members that speak no version in common with it. */
  readonly incompatible: readonly { readonly name: string; readonly versions: readonly number[] }[];
}

/** What a peer is made from besides its home. Ledger and network are the real ones where nothing else is given. */
export interface PeerParts {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly ledger?: typeof connectLedger;
  readonly network?: typeof createNetwork;
  readonly trainer?: PeerContext['createTrainer'];
  /** Versions of the protocol that this peer speaks; those of the build where nothing else is given. */
  readonly versions?: readonly number[];
}

/** One running peer. Dispose it to stop. */
export class Peer implements AsyncDisposable {
  readonly context: PeerContext;
  readonly dataSets: DataSets;
  readonly studies: Studies;
  readonly approvals: Approvals;
  readonly runs: Runs;
  /** Rejects when the peer cannot go on; resolves when it was stopped. */
  readonly ended: Promise<void>;
  readonly #allowance: Allowance;
  readonly #stop: AbortController;
  readonly #listeners = new Set<() => void>();
  readonly #end = Promise.withResolvers<void>();
  readonly #loops: Promise<void>[] = [];
  #head = { block: 0, timeS: 0, seenMs: 0 };

  constructor(context: PeerContext, stop: AbortController) {
    this.context = context;
    this.#stop = stop;
    this.#allowance = new Allowance(context.clock);
    this.ended = this.#end.promise;
    this.ended.catch(() => undefined);
    this.dataSets = new DataSets(context);
    this.studies = new Studies(context, this.dataSets);
    this.approvals = new Approvals(context, this.studies);
    this.runs = new Runs(context, { studies: this.studies, dataSets: this.dataSets, changed: () => this.#changed(), failed: (error) => this.#fail(error) });
  }

  /** Starts following the ledger; runs that were live go on. */
  open(): void {
    const { consortium, network, clock } = this.context;
    network.setMembers(consortium.peers());
    this.#head.seenMs = clock.nowMs();
    removeOrphans(this.context);
    this.runs.resume();
    this.#loops.push(this.#follow(), this.#tick(), this.dataSets.removeOld());
    for (const loop of this.#loops) loop.catch((error: unknown) => this.#fail(error));
  }

  /** Takes a control message of a member. */
  message(from: PeerId, bytes: Uint8Array): void {
    const account = this.context.consortium.peers().get(from);
    if (!account) return;
    if (!this.#allowance.take(from)) return this.#sayDropped(from, { reason: 'it sends more messages than any round needs' });
    try {
      this.runs.message(account, decodeMessage(bytes, this.context.versions));
    } catch (error) {
      if (!isSwarmError(error) || error.blame !== 'remote') return this.#fail(error);
      this.#sayDropped(from, { code: error.code, reason: error.message });
    }
  }

  #sayDropped(from: PeerId, why: { readonly code?: string; readonly reason: string }): void {
    const messages = this.#allowance.dropped(from);
    if (messages !== undefined) this.context.logger.warn('a message was dropped', { from, ...why, messages });
  }

  /** Calls `listener` after anything that people see has changed; gives the function that ends it. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The peer at a glance. */
  status(): PeerStatus {
    const { config, account, consortium, consortiumFile, network, clock } = this.context;
    const { mode, url, chainId, contract } = consortiumFile;
    const { block, timeS, seenMs } = this.#head;
    return {
      name: config.name,
      account,
      peerId: network.peerId,
      addresses: network.addresses,
      membership: this.membership(),
      ledger: { mode, url, chainId, contract, block, timeS, silentS: Math.round((clock.nowMs() - seenMs) / 1000) },
      connected: network.connections().length,
      others: consortium.active().filter((member) => member.account !== account).length,
      counters: network.counters(),
      versions: this.context.versions,
      incompatible: [...network.incompatible()].map(([peer, versions]) => ({ name: consortium.nameOf(consortium.peers().get(peer) ?? account), versions })),
    };
  }

  /** The member with this name or account. Throws PEER_UNKNOWN. */
  memberNamed(text: string): Member {
    const all = [...this.context.consortium.members.values()];
    const found = all.filter((member) => member.name === text || member.account === text.toLowerCase());
    const [only] = found;
    if (!only || found.length > 1) throw peerErrors.PEER_UNKNOWN({ what: 'member', name: text, known: all.map((member) => member.name) });
    return only;
  }

  /** Whether this peer is a member, and if not, whose votes are missing. */
  membership(): Membership {
    const { account, consortium } = this.context;
    const member = consortium.members.get(account);
    if (member) return { kind: member.active ? 'member' : 'revoked' };
    const proposal = [...consortium.proposals.values()].findLast(({ action, done }) => !done && action.kind === 'admit' && action.account === account);
    const missing = consortium.active().filter((active) => !proposal?.votes.has(active.account));
    return { kind: 'waiting', proposal, missingVotes: missing.map(({ name }) => name) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.runs[Symbol.asyncDispose]();
    await this.context.network[Symbol.asyncDispose]();
    await this.context.ledger[Symbol.asyncDispose]();
    await Promise.allSettled(this.#loops);
    this.context.journal[Symbol.dispose]();
    this.#end.resolve();
  }

  #changed(): void {
    for (const listener of this.#listeners) listener();
  }

  #fail(error: unknown): void {
    if (this.#stop.signal.aborted) return;
    this.context.logger.error('the peer cannot go on', { reason: error instanceof Error ? error.message : String(error) });
    this.#end.reject(error);
    this.#stop.abort();
  }

  async #follow(): Promise<void> {
    const { ledger, journal, signal } = this.context;
    for await (const batch of ledger.batches(journal.cursor(), { signal })) this.#ingest(batch);
  }

  /** One batch: stepped through, stored with its facts, then folded in and acted upon. */
  #ingest(batch: LedgerBatch): void {
    const { journal, consortium, network, clock, signal } = this.context;
    // a peer that stops has no drivers any more: facts stored without their inputs would be missing after the next start
    if (signal.aborted) return;
    const moved = batch.events.length > 0 || batch.cursor.block !== this.#head.block;
    const preview = this.runs.preview(batch);
    if (batch.events.length > 0 || preview.inputs.length > 0) journal.append({ events: batch.events, cursor: batch.cursor, inputs: preview.inputs });
    for (const event of batch.events) consortium.apply(event);
    this.#head = { block: batch.cursor.block, timeS: batch.timeS, seenMs: clock.nowMs() };
    const scopes = batch.events.filter((event) => event.scope === 'consortium').map((event) => event.fact.kind);
    if (scopes.some((kind) => kind === 'admitted' || kind === 'revoked')) network.setMembers(consortium.peers());
    preview.adopt();
    if (scopes.includes('studyPublished')) this.studies.fetchMissing();
    if (moved) this.#changed();
  }

  async #tick(): Promise<void> {
    const { clock, signal } = this.context;
    while (!signal.aborted) {
      await clock.sleep(tickMs, { signal });
      this.runs.tick();
    }
  }
}

/** Starts the peer in `home`. Throws PEER_…, LEDGER_… or NETWORK_…; nothing is left running then. */
export async function createPeer(home: string, parts: PeerParts): Promise<Peer> {
  const stop = new AbortController();
  await using made = new AsyncDisposableStack();
  const [config, consortiumFile, identity] = [readConfig(home), readConsortium(home), await loadIdentity(home)];
  const {
    clock,
    versions = protocolVersions,
    ledger: toLedger = connectLedger,
    network: toNetwork = createNetwork,
    trainer: createTrainer = createOnnxTrainer,
  } = parts;
  const logger = parts.logger.child({ peer: config.name });
  const journal = made.use(new Journal(home));
  const consortium = new Consortium(shownFacts);
  for (const event of journal.events()) consortium.apply(event);
  const { chainId, contract } = consortiumFile;
  const endpoint = ledgerEndpoint(home, consortiumFile);
  const ledger = made.use(await toLedger({ ...endpoint, chainId, contract, key: identity.key }, { clock, logger }, { signal: stop.signal }));
  const binding = { chainId, contract, account: identity.key.account, peerId: identity.peerId };
  const statement = bindingStatement(binding);
  const hello = {
    ...binding,
    accountSignature: await signAccountMessage(identity.key, statement),
    peerSignature: signWithPeerKey(identity.peerKey, statement),
    versions,
  };
  const blobs = new BlobStore(home);
  let peer: Peer | undefined;
  const handlers = { message: (from: PeerId, bytes: Uint8Array) => peer?.message(from, bytes), content: blobs.reader.bind(blobs) };
  const network = made.use(
    await toNetwork({ peerKey: identity.peerKey, hello }, config.network, handlers, { clock, logger, accountSigner: verifyAccountSignature }),
  );
  const context = {
    home,
    config,
    consortiumFile,
    account: identity.key.account,
    consortium,
    ledger,
    network,
    journal,
    versions,
    vault: new Vault(home),
    blobs,
    createTrainer,
    bulk: made.use(createWorkerBulk(home)),
    clock,
    logger,
    signal: stop.signal,
  };
  peer = new Peer(context, stop);
  made.move();
  try {
    peer.open();
  } catch (error) {
    await peer[Symbol.asyncDispose]();
    throw error;
  }
  collectGarbage();
  return peer;
}
