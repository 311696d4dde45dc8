/**
 * JSON-RPC 2.0 over HTTP or HTTPS: one request at a time per call, no batches, no cache, cancellable. Used by the client towards
 * any node and by the gateway towards its engine. Own code rather than a provider of the chain library, because cancellation,
 * the pinned certificate and the latency of a single call are ours to keep.
 */
import { type ClientRequest, Agent as HttpAgent, request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { type Clock, commonErrors, type SwarmError } from '../../common/index.ts';
import { ledgerErrors } from '../errors.ts';
import { maxAnswerBytes, rpcTimeoutMs } from '../limits.ts';

/** Where a node is and what it asks for. */
export interface RpcEndpoint {
  /** `http://` or `https://` with host and port; no user name in it. */
  readonly url: string;
  /** Sent as `authorization: Bearer …`. */
  readonly token?: string;
  /** PEM of the one certificate that is accepted from an `https` node, whatever name is in it. */
  readonly pinnedCertificate?: string;
}

interface HttpAnswer {
  readonly status: number;
  readonly body: string;
}

function agentFor(endpoint: RpcEndpoint): HttpAgent {
  const keep = { keepAlive: true, maxSockets: 16 };
  if (!endpoint.url.startsWith('https:')) return new HttpAgent(keep);
  if (endpoint.pinnedCertificate === undefined) return new HttpsAgent(keep);
  // With this certificate as the only trust anchor nothing else is accepted, so the name in it need not match.
  return new HttpsAgent({ ...keep, ca: [endpoint.pinnedCertificate], checkServerIdentity: () => undefined });
}

function readAnswer(response: IncomingMessage, settle: (outcome: HttpAnswer | string) => void): void {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  response.on('data', (chunk: Buffer) => {
    sizeBytes += chunk.length;
    chunks.push(chunk);
    if (sizeBytes > maxAnswerBytes) {
      settle(`an answer of more than ${maxAnswerBytes} bytes`);
      response.destroy();
    }
  });
  response.on('end', () => settle({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString('utf8') }));
  response.on('error', (error) => settle(error.message));
  response.on('aborted', () => settle('the connection broke off'));
}

/** A connection pool to one node. */
export class JsonRpc implements Disposable {
  /** For messages: the address without secrets. */
  readonly url: string;
  readonly #endpoint: RpcEndpoint;
  readonly #agent: HttpAgent;
  readonly #clock: Clock;
  #lastId = 0;

  constructor(endpoint: RpcEndpoint, clock: Clock) {
    this.url = endpoint.url;
    this.#endpoint = endpoint;
    this.#agent = agentFor(endpoint);
    this.#clock = clock;
  }

  /** The result of one call. Throws LEDGER_UNREACHABLE, LEDGER_TOKEN_REFUSED, LEDGER_RPC_ERROR (the node's own code, message and data) or COMMON_CANCELLED. */
  async call(method: string, params: readonly unknown[], { signal }: { readonly signal: AbortSignal }): Promise<unknown> {
    const body = JSON.stringify({ jsonrpc: '2.0', id: ++this.#lastId, method, params });
    const answer = await this.#exchange(body, method, signal);
    if (answer.status === 401 || answer.status === 403) throw ledgerErrors.LEDGER_TOKEN_REFUSED({ url: this.url });
    return this.#resultOf(method, answer);
  }

  #resultOf(method: string, answer: HttpAnswer): unknown {
    let parsed: { result?: unknown; error?: { code?: unknown; message?: unknown; data?: unknown } } | null;
    try {
      parsed = JSON.parse(answer.body);
    } catch {
      throw this.#unreachable(`HTTP ${answer.status} without JSON`);
    }
    if (typeof parsed !== 'object' || parsed === null) throw this.#unreachable(`HTTP ${answer.status} without an answer`);
    if (parsed.error !== undefined && parsed.error !== null) {
      const { code, message, data } = parsed.error;
      const detail = { method, code: Number(code), message: String(message).slice(0, 1_000) };
      throw ledgerErrors.LEDGER_RPC_ERROR(typeof data === 'string' ? { ...detail, data } : detail);
    }
    if (answer.status !== 200) throw this.#unreachable(`HTTP ${answer.status}`);
    return parsed.result;
  }

  #unreachable(why: string): SwarmError {
    return ledgerErrors.LEDGER_UNREACHABLE({ url: this.url, why });
  }

  #exchange(body: string, method: string, signal: AbortSignal): Promise<HttpAnswer> {
    if (signal.aborted) return Promise.reject(commonErrors.COMMON_CANCELLED({ what: `the call ${method}` }));
    return new Promise((resolve, reject) => {
      const over = new AbortController();
      let request: ClientRequest | undefined;
      let settled = false;
      const settle = (outcome: HttpAnswer | string): void => {
        if (settled) return;
        settled = true;
        signal.removeEventListener('abort', cancel);
        over.abort();
        if (typeof outcome === 'object') {
          resolve(outcome);
          return;
        }
        request?.destroy();
        reject(signal.aborted ? commonErrors.COMMON_CANCELLED({ what: `the call ${method}` }) : this.#unreachable(outcome));
      };
      const cancel = (): void => settle('cancelled');
      signal.addEventListener('abort', cancel, { once: true });
      this.#clock.timeout(rpcTimeoutMs, { signal: over.signal }).addEventListener('abort', () => settle(`silent for ${rpcTimeoutMs} ms`), { once: true });
      const send = (mayRepeat: boolean): void => {
        request = this.#open(body, (response) => readAnswer(response, settle));
        const sent = request;
        // A kept connection that the node has just closed says nothing about the node: once more on a new one.
        sent.on('error', (error: NodeJS.ErrnoException) =>
          mayRepeat && sent.reusedSocket && error.code === 'ECONNRESET' ? send(false) : settle(error.message || String(error.code)),
        );
      };
      send(true);
    });
  }

  #open(body: string, onResponse: (response: IncomingMessage) => void): ClientRequest {
    const headers: Record<string, string | number> = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
    if (this.#endpoint.token !== undefined) headers['authorization'] = `Bearer ${this.#endpoint.token}`;
    const options: RequestOptions = { method: 'POST', agent: this.#agent, headers };
    const request = this.url.startsWith('https:') ? httpsRequest(this.url, options, onResponse) : httpRequest(this.url, options, onResponse);
    request.setNoDelay(true);
    request.end(body);
    return request;
  }

  [Symbol.dispose](): void {
    this.#agent.destroy();
  }
}
