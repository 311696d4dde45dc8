/** A TCP relay in front of a peer or a ledger: what lies between two institutions, with its faults. Plain sockets, one process, no privileges. */
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { wait } from './demo.ts';

/**
 * What a line does. `cut` closes what is open and refuses what is new. `silent` carries nothing and says nothing, so that both ends believe in
 * the connection; what was open then stays silent for ever, as behind a gateway that has forgotten it. `stalled` carries on where it stood.
 */
export interface Line {
  readonly state?: 'open' | 'cut' | 'silent' | 'stalled';
  /** Added to each piece of at most 64 KiB, one way. */
  readonly delayMs?: number;
  readonly bytesPerS?: number;
}

interface Pair {
  readonly from: number | undefined;
  readonly near: Socket;
  readonly far: Socket;
  dead: boolean;
}

/** Where a relay leads and by which rules. */
export interface RelayOptions {
  readonly port: number;
  /** Whose connection this is, by its port on this machine. */
  readonly callerOf: (port: number) => number | undefined;
  /** The line between a caller and what is behind this relay. */
  readonly lineOf: (caller: number | undefined) => Line;
}

/** One relay. Call `enforce` after the lines have changed. */
export class Relay implements AsyncDisposable {
  readonly #options: RelayOptions;
  readonly #server: Server;
  readonly #pairs = new Set<Pair>();

  private constructor(options: RelayOptions) {
    this.#options = options;
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (near) => this.#take(near));
  }

  static async listen(options: RelayOptions): Promise<Relay> {
    const relay = new Relay(options);
    await once(relay.#server.listen(0, '127.0.0.1'), 'listening');
    return relay;
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === 'object' && address ? address.port : 0;
  }

  /** Connections that are open now. */
  get open(): number {
    return this.#pairs.size;
  }

  /** Lets the lines of now work on what is open. */
  enforce(): void {
    for (const pair of this.#pairs) {
      const { state } = this.#options.lineOf(pair.from);
      if (state === 'cut') this.#end(pair);
      if (state === 'silent') pair.dead = true;
    }
  }

  /** Breaks about this share of what is open, by draws from [0, 1). Gives how many. */
  break(share: number, draw: () => number): number {
    const broken = [...this.#pairs].filter(() => draw() < share);
    for (const pair of broken) this.#end(pair);
    return broken.length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const pair of this.#pairs) this.#end(pair);
    this.#server.close();
  }

  #take(near: Socket): void {
    near.on('error', () => undefined);
    const from = this.#options.callerOf(near.remotePort ?? 0);
    const { state } = this.#options.lineOf(from);
    if (state === 'cut') return void near.resetAndDestroy();
    const far = connect({ port: this.#options.port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
    far.on('error', () => undefined);
    const pair: Pair = { from, near, far, dead: state === 'silent' };
    this.#pairs.add(pair);
    const ended = () => this.#pairs.delete(pair);
    Promise.all([this.#pour(pair, near, far), this.#pour(pair, far, near)]).then(ended, ended);
  }

  async #pour(pair: Pair, from: Socket, to: Socket): Promise<void> {
    try {
      for await (const piece of from) {
        await this.#passage(pair, piece.length);
        if (!to.write(piece)) await once(to, 'drain');
      }
      await this.#passage(pair, 0);
      to.end();
    } catch {
      await this.#passage(pair, 0);
      this.#end(pair);
    }
  }

  /** Resolves when a piece of this size may go on; never on a dead connection. */
  async #passage(pair: Pair, sizeBytes: number): Promise<void> {
    const { delayMs = 0, bytesPerS } = this.#options.lineOf(pair.from);
    const ms = delayMs + (bytesPerS === undefined ? 0 : (1_000 * sizeBytes) / bytesPerS);
    if (ms > 0) await wait(ms);
    while (this.#pairs.has(pair) && (pair.dead || this.#options.lineOf(pair.from).state === 'stalled')) await wait(20);
  }

  #end(pair: Pair): void {
    this.#pairs.delete(pair);
    pair.near.resetAndDestroy();
    pair.far.resetAndDestroy();
  }
}
