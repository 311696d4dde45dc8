/**
 * The only door to the embedded engine: JSON-RPC over HTTP(S) with a bearer token, a list of allowed methods and bounds on everything.
 * The engine's own door lets anybody forge transactions and move time; nothing of that is on the list.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { isSwarmError, type Logger, type SwarmError } from '../../common/index.ts';
import { ledgerErrors } from '../errors.ts';
import { blockAfterMethod } from '../evm/cursor.ts';
import { maxGatewayConnections, maxGatewayRequests, maxRequestBytes } from '../limits.ts';
import type { EmbeddedChain } from './chain.ts';

/** Certificate and key of the gateway in PEM. */
export interface GatewayTls {
  readonly certificate: string;
  readonly key: string;
}

/** Where the gateway listens and whom it knows. */
interface GatewayOptions {
  readonly host: string;
  readonly port: number;
  readonly tls: GatewayTls | undefined;
  /** Names the holder of an `authorization` header. */
  readonly holderOf: (authorization: string | undefined) => string | undefined;
}

/** What a member may ask of the engine. Reads, and nothing that changes anything. */
const readMethods: ReadonlySet<string> = new Set([
  'eth_call',
  'eth_estimateGas',
  'eth_feeHistory',
  'eth_gasPrice',
  'eth_getBalance',
  'eth_getBlockByHash',
  'eth_getBlockByNumber',
  'eth_getBlockReceipts',
  'eth_getCode',
  'eth_getLogs',
  'eth_getStorageAt',
  'eth_getTransactionByHash',
  'eth_getTransactionCount',
  'eth_getTransactionReceipt',
  'eth_maxPriorityFeePerGas',
  'eth_syncing',
  'net_listening',
  'net_version',
  'web3_clientVersion',
]);

interface RpcRequest {
  readonly id: string | number | null;
  readonly method: string;
  readonly params: readonly unknown[];
}

interface RpcError {
  readonly code: number;
  readonly message: string;
  readonly data?: string;
}

const maxParams = 4;
/** Longer than the clients keep an idle connection in use, so that it is theirs to close. */
const idleConnectionMs = 65_000;

function parseRequest(text: string): RpcRequest | RpcError {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    return { code: -32700, message: 'not JSON' };
  }
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return { code: -32600, message: 'one request at a time' };
  const { id, method, params = [] } = body as { id?: unknown; method?: unknown; params?: unknown };
  const idIsRight = id === null || typeof id === 'number' || (typeof id === 'string' && id.length <= 64);
  if (!idIsRight || typeof method !== 'string' || !Array.isArray(params) || params.length > maxParams)
    return { code: -32600, message: 'not a JSON-RPC 2.0 request' };
  return { id, method, params };
}

function errorOf({ detail: { code, message, data } }: SwarmError): RpcError {
  return { code: Number(code), message: String(message), ...(typeof data === 'string' && { data }) };
}

async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    sizeBytes += chunk.length;
    if (sizeBytes > maxRequestBytes) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

class Gateway implements AsyncDisposable {
  readonly server: Server;
  readonly #chain: EmbeddedChain;
  readonly #options: GatewayOptions;
  readonly #logger: Logger;
  readonly #closing = new AbortController();
  #working = 0;

  constructor(chain: EmbeddedChain, options: GatewayOptions, logger: Logger) {
    this.#chain = chain;
    this.#options = options;
    this.#logger = logger;
    const serve = (request: IncomingMessage, response: ServerResponse): void => {
      request.on('error', () => undefined);
      response.on('error', () => undefined);
      this.#serve(request, response).catch(() => response.destroy());
    };
    const bounds = { keepAliveTimeout: idleConnectionMs, requestTimeout: 30_000, headersTimeout: 10_000 };
    const { tls } = options;
    this.server =
      tls === undefined ? createServer(bounds, serve) : createTlsServer({ ...bounds, cert: tls.certificate, key: tls.key, minVersion: 'TLSv1.3' }, serve);
    this.server.maxConnections = maxGatewayConnections;
    this.server.on('clientError', (_error, socket) => socket.destroy());
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const holder = this.#options.holderOf(request.headers.authorization);
    if (holder === undefined) {
      this.#logger.debug('ledger request without a valid token', { from: request.socket.remoteAddress ?? '' });
      return this.#refuse(response, 401);
    }
    if (request.method !== 'POST') return this.#refuse(response, 405);
    if (this.#working >= maxGatewayRequests) return this.#refuse(response, 503);
    this.#working += 1;
    try {
      const text = await readBody(request);
      if (text === undefined) return this.#refuse(response, 413);
      const answered = await this.#answer(text);
      if (answered === undefined) return this.#refuse(response, 503);
      const answer = JSON.stringify(answered);
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(answer) }).end(answer);
    } finally {
      this.#working -= 1;
    }
  }

  #refuse(response: ServerResponse, status: number): void {
    response.writeHead(status, { connection: 'close', 'content-length': 0 }).end();
  }

  /** The answer to one request; undefined where the engine is away for the moment. */
  async #answer(text: string): Promise<object | undefined> {
    const request = parseRequest(text);
    if ('code' in request) return { jsonrpc: '2.0', id: null, error: request };
    try {
      return { jsonrpc: '2.0', id: request.id, result: await this.#perform(request) };
    } catch (error) {
      if (isSwarmError(error, 'LEDGER_RPC_ERROR')) return { jsonrpc: '2.0', id: request.id, error: errorOf(error) };
      this.#logger.warn('ledger request failed', { method: request.method, why: error instanceof Error ? error.message : 'unknown' });
      return undefined;
    }
  }

  /** The head and the chain's id are known here; the rest is the engine's. */
  async #perform({ method, params }: RpcRequest): Promise<unknown> {
    if (method === 'eth_blockNumber') return `0x${this.#chain.confirmedBlock.toString(16)}`;
    if (method === blockAfterMethod) return await this.#blockAfter(params[0]);
    if (method === 'eth_chainId') return `0x${this.#chain.chainId.toString(16)}`;
    if (method === 'eth_sendRawTransaction' && typeof params[0] === 'string') return await this.#chain.send(params[0]);
    if (readMethods.has(method)) return await this.#chain.read(method, params, { signal: this.#closing.signal });
    throw ledgerErrors.LEDGER_RPC_ERROR({ method, code: -32601, message: 'this method is not served' });
  }

  async #blockAfter(after: unknown): Promise<string> {
    const block = typeof after === 'string' ? Number(after) : Number.NaN;
    if (!Number.isSafeInteger(block)) throw ledgerErrors.LEDGER_RPC_ERROR({ method: blockAfterMethod, code: -32602, message: 'not the number of a block' });
    return `0x${(await this.#chain.blockAfter(block, { signal: this.#closing.signal })).toString(16)}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    await new Promise<void>((resolve) => {
      this.server.close(() => resolve());
      this.server.closeAllConnections();
    });
  }
}

/** An open gateway. */
interface ServedGateway extends AsyncDisposable {
  readonly url: string;
}

/** Opens the gateway. Throws LEDGER_PORT_IN_USE. */
export async function openGateway(chain: EmbeddedChain, options: GatewayOptions, parts: { readonly logger: Logger }): Promise<ServedGateway> {
  const gateway = new Gateway(chain, options, parts.logger);
  const { server } = gateway;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(ledgerErrors.LEDGER_PORT_IN_USE({ host: options.host, port: options.port, why: error.message }, error)));
    server.listen({ host: options.host, port: options.port }, resolve);
  });
  const { port } = server.address() as AddressInfo;
  const host = options.host.includes(':') ? `[${options.host}]` : options.host;
  return { url: `${options.tls === undefined ? 'http' : 'https'}://${host}:${port}`, [Symbol.asyncDispose]: () => gateway[Symbol.asyncDispose]() };
}
