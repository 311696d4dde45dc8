/**
 * A peer of real parts whose edges belong to somebody else: what its ledger shows, what it writes there, what it sends and serves.
 * Everything behind the edges is the product's own peer, so that an attack is made of valid keys, signatures, frames and connections.
 */
import type { Digest, PeerId } from '../../src/common/index.ts';
import { connectLedger, type Ledger, type LedgerBatch, type LedgerCursor, type LedgerEvent, type LedgerTransaction } from '../../src/ledger/index.ts';
import { type ContentReader, createNetwork, type Network } from '../../src/network/index.ts';
import type { PeerParts } from '../../src/peer/index.ts';
import { decodeMessage, type PeerMessage, protocolVersions } from '../../src/wire/index.ts';
import { keptLogger, type LogLine } from './network.ts';

/** What is done in place of what an honest peer does; nothing where a hook is missing. */
export interface Tactics {
  /** What the ledger seems to say. */
  readonly facts?: (event: LedgerEvent) => LedgerEvent;
  /** What is written to the ledger in place of a transaction; undefined where nothing is. */
  readonly submit?: (transaction: LedgerTransaction) => LedgerTransaction | undefined;
  /** What goes out in place of a control message; undefined where nothing does. */
  readonly outgoing?: (to: PeerId, bytes: Uint8Array) => Uint8Array | undefined;
  /** What is served in place of chunk 0 of content. */
  readonly chunk?: (root: Digest, bytes: Uint8Array) => Uint8Array;
}

/** A message with its other side, in order. */
export interface Passed {
  readonly other: PeerId;
  readonly message: PeerMessage;
  readonly sizeBytes: number;
}

/** One peer's edges: `parts` go into `createPeer`, `tactics` may change at any time, the rest is what passed. */
export class Subverted {
  tactics: Tactics = {};
  readonly sent: Passed[] = [];
  readonly heard: Passed[] = [];
  readonly posts: LedgerTransaction[] = [];
  readonly log: LogLine[] = [];
  #send: Network['send'] = () => undefined;
  #ledger: Ledger | undefined;

  /** The parts of the peer. */
  get parts(): Partial<PeerParts> {
    return { logger: keptLogger(this.log), ledger: (...given) => this.#connectLedger(...given), network: (...given) => this.#createNetwork(...given) };
  }

  /** Sends bytes as they are, past all tactics. */
  send(to: PeerId, bytes: Uint8Array): void {
    this.#send(to, bytes);
  }

  /** The ledger as it is, past all tactics. */
  get ledger(): Ledger {
    if (!this.#ledger) throw new Error('the peer has not started');
    return this.#ledger;
  }

  /** Messages of one kind that left. */
  sentOf(kind: PeerMessage['body']['kind']): readonly Passed[] {
    return this.sent.filter(({ message }) => message.body.kind === kind);
  }

  /** Warnings with these words. */
  warnings(words: string): readonly LogLine[] {
    return this.log.filter(({ level, message }) => level === 'warn' && message.includes(words));
  }

  async #connectLedger(...[options, parts, signal]: Parameters<typeof connectLedger>): Promise<Ledger> {
    const ledger = await connectLedger(options, parts, signal);
    this.#ledger = ledger;
    const tactics = () => this.tactics;
    async function* batches(cursor: LedgerCursor | undefined, given: { readonly signal: AbortSignal }): AsyncGenerator<LedgerBatch> {
      for await (const batch of ledger.batches(cursor, given)) {
        const { facts } = tactics();
        yield facts ? { ...batch, events: batch.events.map(facts) } : batch;
      }
    }
    return {
      chainId: ledger.chainId,
      contract: ledger.contract,
      account: ledger.account,
      batches,
      submit: async (transaction, given) => {
        const { submit } = this.tactics;
        const written = submit ? submit(transaction) : transaction;
        if (!written) return { transaction: '', block: 0 };
        this.posts.push(written);
        return await ledger.submit(written, given);
      },
      readySigner: (ready) => ledger.readySigner(ready),
      sign: (message) => ledger.sign(message),
      [Symbol.asyncDispose]: () => ledger[Symbol.asyncDispose](),
    };
  }

  async #createNetwork(...[identity, options, handlers, parts]: Parameters<typeof createNetwork>): Promise<Network> {
    const message = (from: PeerId, bytes: Uint8Array): void => {
      this.#note(this.heard, from, bytes);
      handlers.message(from, bytes);
    };
    const content = (root: Digest): ContentReader | undefined => {
      const reader = handlers.content(root);
      const chunk = (index: number): Uint8Array | undefined => {
        const bytes = reader?.chunk(index);
        return bytes && this.tactics.chunk ? this.tactics.chunk(root, bytes) : bytes;
      };
      return reader && { sizeBytes: reader.sizeBytes, leaves: () => reader.leaves(), chunk };
    };
    const network = await createNetwork(identity, options, { ...handlers, message, content }, parts);
    const send = network.send.bind(network);
    network.send = (to, bytes) => {
      const { outgoing } = this.tactics;
      const out = outgoing ? outgoing(to, bytes) : bytes;
      if (!out) return;
      this.#note(this.sent, to, out);
      send(to, out);
    };
    this.#send = send;
    return network;
  }

  #note(into: Passed[], other: PeerId, bytes: Uint8Array): void {
    try {
      into.push({ other, message: decodeMessage(bytes, protocolVersions), sizeBytes: bytes.length });
    } catch {
      // What is no message is for the other side to judge.
    }
  }
}
