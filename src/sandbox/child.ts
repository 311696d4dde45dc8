/** A Node child process that answers framed requests: started, asked, timed out, killed and mourned here. */
import type { Duplex, Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { type Clock, commonErrors, type Logger, type SwarmError } from '../common/index.ts';
import type { AnswerHeader } from './child-side.ts';
import { carriedError, sandboxErrors } from './errors.ts';
import { type Frame, FrameReader, frameHead } from './frames.ts';
import { childStartTimeoutMs, maxPendingRequests } from './limits.ts';
import { followOutput } from './output.ts';
import { type Exit, killGroup, startWalled, type Walled } from './process.ts';

/** What a child answers: a small JSON value, untrusted until parsed, and bulk bytes. */
export interface ChildAnswer {
  readonly header: unknown;
  readonly body: Uint8Array;
}

/** A running child. Disposing kills it at once; whoever still waits gets SANDBOX_CHILD_DIED. */
export interface Child extends AsyncDisposable {
  /**
   * Asks once. Rejects with the child's own SwarmError, or SANDBOX_CHILD_DIED, SANDBOX_TIMEOUT (the child is ended), SANDBOX_BUSY,
   * or COMMON_CANCELLED when `signal` fires: then the answer is dropped, but the child goes on computing until it is disposed.
   */
  request(kind: string, header: unknown, body: Uint8Array | undefined, options: { readonly signal: AbortSignal }): Promise<ChildAnswer>;
  /** Resolves (never rejects) when the process has ended. */
  readonly exited: Promise<Exit>;
  readonly pid: number;
}

/** How a child is started. */
export interface ChildOptions {
  /** Its main module, which calls `serveParent`. */
  readonly module: URL;
  /** For logs and errors. */
  readonly name: string;
  /** Bound of the JavaScript heap; typed arrays and native memory are outside it. */
  readonly memoryLimitMb: number;
  /** A request without an answer for this long ends the child; without it only the caller's signal bounds a request. */
  readonly requestTimeoutMs?: number;
}

/** What a child needs of its surroundings. */
export interface SandboxParts {
  readonly clock: Clock;
  readonly logger: Logger;
}

interface Pending {
  readonly settle: (outcome: ChildAnswer | SwarmError) => void;
}

const readyId = 0;

class NodeChild implements Child {
  readonly exited: Promise<Exit>;
  readonly pid: number;
  readonly #walled: Walled;
  readonly #channel: Duplex;
  readonly #options: ChildOptions;
  readonly #parts: SandboxParts;
  readonly #tail: () => string;
  readonly #pending = new Map<number, Pending>();
  #lastId = readyId;
  #death: SwarmError | undefined;

  constructor(walled: Walled, channel: Duplex, options: ChildOptions, parts: SandboxParts, tail: () => string) {
    this.#walled = walled;
    this.#channel = channel;
    this.#options = options;
    this.#parts = parts;
    this.#tail = tail;
    this.pid = walled.process.pid ?? 0;
    this.exited = walled.exited;
    this.#listen();
  }

  #listen(): void {
    const reader = new FrameReader();
    this.#channel.on('data', (chunk: Uint8Array) => {
      const { frames, fault } = reader.push(chunk);
      for (const frame of frames) this.#take(frame);
      if (fault !== undefined) this.#end(sandboxErrors.SANDBOX_BAD_MESSAGE({ child: this.#options.name, what: fault }));
    });
    this.#channel.on('error', () => undefined);
    void this.exited.then((exit) => this.#end(sandboxErrors.SANDBOX_CHILD_DIED({ child: this.#options.name, ...exit, output: this.#tail() })));
  }

  #take(frame: Frame): void {
    const header = frame.header as AnswerHeader;
    const pending = this.#pending.get(header.id);
    pending?.settle('error' in header ? carriedError(header.error) : { header: header.header, body: frame.body });
  }

  #end(death: SwarmError): void {
    this.#death ??= death;
    killGroup(this.#walled.process);
    for (const pending of [...this.#pending.values()]) pending.settle(this.#death);
  }

  /** Waits for the answer with this id; one bounded place for timeout, cancellation and death. */
  #wait(id: number, kind: string, timeoutMs: number | undefined, signal: AbortSignal): Promise<ChildAnswer> {
    return new Promise((resolve, reject) => {
      const over = new AbortController();
      const cancel = (): void => settle(commonErrors.COMMON_CANCELLED({ what: `request "${kind}" to ${this.#options.name}` }));
      const settle = (outcome: ChildAnswer | SwarmError): void => {
        if (!this.#pending.delete(id)) return;
        signal.removeEventListener('abort', cancel);
        over.abort();
        if (outcome instanceof Error) reject(outcome);
        else resolve(outcome);
      };
      this.#pending.set(id, { settle });
      if (signal.aborted) cancel();
      signal.addEventListener('abort', cancel, { once: true });
      if (timeoutMs === undefined) return;
      const expire = (): void => {
        if (this.#pending.has(id)) this.#end(sandboxErrors.SANDBOX_TIMEOUT({ child: this.#options.name, kind, timeoutMs }));
      };
      this.#parts.clock.timeout(timeoutMs, { signal: over.signal }).addEventListener('abort', expire, { once: true });
    });
  }

  ready(): Promise<ChildAnswer> {
    return this.#wait(readyId, 'start', childStartTimeoutMs, new AbortController().signal);
  }

  async request(kind: string, header: unknown, body: Uint8Array | undefined, { signal }: { readonly signal: AbortSignal }): Promise<ChildAnswer> {
    if (this.#death !== undefined) throw this.#death;
    if (this.#pending.size >= maxPendingRequests) throw sandboxErrors.SANDBOX_BUSY({ child: this.#options.name, pending: this.#pending.size });
    const id = ++this.#lastId;
    const head = frameHead({ id, kind, header }, body?.length ?? 0);
    if (head === undefined)
      throw sandboxErrors.SANDBOX_BAD_MESSAGE({ child: this.#options.name, what: `a request "${kind}" with a body of ${body?.length ?? 0} bytes` });
    const answer = this.#wait(id, kind, this.#options.requestTimeoutMs, signal);
    this.#channel.write(head);
    if (body !== undefined && body.length > 0) this.#channel.write(body);
    return await answer;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    killGroup(this.#walled.process);
    await this.exited;
  }
}

/** Starts a Node child and waits until it is ready. Throws SANDBOX_START_FAILED where it ends or stays silent instead. */
export async function startChild(options: ChildOptions, parts: SandboxParts): Promise<Child> {
  const args = [`--max-old-space-size=${options.memoryLimitMb}`, '--disable-warning=ExperimentalWarning', fileURLToPath(options.module)];
  const walled = await startWalled(process.execPath, args);
  const [, output, errors, channel] = walled.process.stdio;
  const { tail } = followOutput([output, errors] as Readable[], options.name, parts.logger);
  const child = new NodeChild(walled, channel as Duplex, options, parts, tail);
  try {
    await child.ready();
    return child;
  } catch (error) {
    await child[Symbol.asyncDispose]();
    throw sandboxErrors.SANDBOX_START_FAILED({ child: options.name, why: error instanceof Error ? error.message : 'unknown', output: '' }, error);
  }
}
