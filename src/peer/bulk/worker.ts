/** Bulk steps in one worker thread, so that the event loop stays free for network and ledger. A thread that died is started anew by the next step. */
import { Worker } from 'node:worker_threads';
import { commonErrors, errorOf } from '../../common/index.ts';
import { peerErrors } from '../errors.ts';
import { maxBulkSteps } from '../limits.ts';
import type { Bulk, BulkKind, BulkOutcome, BulkRequest } from './bulk.ts';

interface Waiting {
  readonly resolve: (outcome: never) => void;
  readonly reject: (error: unknown) => void;
}

/** What the thread answers. */
interface Answer {
  readonly id: number;
  readonly outcome: never;
  readonly error?: { readonly known?: { readonly code: string; readonly detail: object }; readonly message: string };
}

/** Bulk steps over the stores in a peer's folder. */
export function createWorkerBulk(home: string): Bulk {
  return new WorkerBulk(home);
}

class WorkerBulk implements Bulk {
  readonly #home: string;
  readonly #waiting = new Map<number, Waiting>();
  #worker: Worker | undefined;
  #calls = 0;
  #closed = false;

  constructor(home: string) {
    this.#home = home;
  }

  async run<K extends BulkKind>(kind: K, request: BulkRequest<K>, { signal }: { readonly signal: AbortSignal }): Promise<BulkOutcome<K>> {
    if (signal.aborted || this.#closed) throw commonErrors.COMMON_CANCELLED({ what: kind });
    if (this.#waiting.size >= maxBulkSteps) throw peerErrors.PEER_BULK_FAILED({ reason: `more than ${maxBulkSteps} steps wait` });
    const id = this.#calls++;
    const { promise, resolve, reject } = Promise.withResolvers<BulkOutcome<K>>();
    const cancelled = (): void => reject(commonErrors.COMMON_CANCELLED({ what: kind }));
    signal.addEventListener('abort', cancelled, { once: true });
    this.#waiting.set(id, { resolve, reject });
    const worker = this.#started();
    worker.ref();
    worker.postMessage({ id, kind, request }, given(request));
    try {
      return await promise;
    } finally {
      signal.removeEventListener('abort', cancelled);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    await this.#worker?.terminate();
  }

  #started(): Worker {
    if (this.#worker) return this.#worker;
    const worker = new Worker(new URL('./thread.ts', import.meta.url), { workerData: { home: this.#home } });
    worker.on('message', (answer: Answer) => this.#take(answer));
    worker.on('error', (error) => this.#end(worker, error.message));
    worker.on('exit', (code) => this.#end(worker, `the thread ended with ${code}`));
    this.#worker = worker;
    return worker;
  }

  #take({ id, outcome, error }: Answer): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (this.#waiting.size === 0) this.#worker?.unref();
    if (!error) waiting?.resolve(outcome);
    else waiting?.reject((error.known && errorOf(error.known.code, error.known.detail)) ?? peerErrors.PEER_BULK_FAILED({ reason: error.message }));
  }

  /** What waits for a thread that ended has failed; a thread that was started after it goes on. */
  #end(worker: Worker, reason: string): void {
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    for (const { reject } of this.#waiting.values()) reject(peerErrors.PEER_BULK_FAILED({ reason }));
    this.#waiting.clear();
  }
}

/** The memory that a request gives away: it moves to the thread without a copy. */
function given(request: BulkRequest<BulkKind>): ArrayBuffer[] {
  return 'trained' in request && request.trained.buffer instanceof ArrayBuffer ? [request.trained.buffer] : [];
}
