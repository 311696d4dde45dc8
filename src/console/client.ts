/** The API's client for commands: finds the running peer of a home, and turns its errors back into errors. */
import { join } from 'node:path';
import { type Blame, SwarmError } from '../common/index.ts';
import { homeFiles, readIfThere } from '../peer/index.ts';
import { consoleErrors } from './errors.ts';
import { answerMs } from './limits.ts';
import { patientFetch } from './patient-fetch.ts';

interface ErrorBody {
  readonly error?: {
    readonly code: string;
    readonly message: string;
    readonly remedy?: string;
    readonly blame?: Blame;
    readonly detail?: Record<string, unknown>;
  };
}

/** Calls the API of the peer that runs in a home. */
export class ApiClient {
  readonly #url: string;
  readonly #token: string;
  readonly #patienceMs: number;

  /** `patienceMs`: milliseconds after which a question that is not answered in full is given up. */
  constructor(url: string, token: string, patienceMs: number = answerMs) {
    this.#url = url;
    this.#token = token;
    this.#patienceMs = patienceMs;
  }

  /** The client for a home. Throws CONSOLE_NOT_RUNNING. */
  static of(home: string): ApiClient {
    const stored = readIfThere(join(home, homeFiles.console));
    if (!stored) throw consoleErrors.CONSOLE_NOT_RUNNING({ home });
    const { url, token }: { url: string; token: string } = JSON.parse(Buffer.from(stored).toString('utf8'));
    return new ApiClient(url, token);
  }

  /** Address of the console. */
  get url(): string {
    return this.#url;
  }

  /** A JSON document. Throws the error that the peer answered with, or CONSOLE_UNREACHABLE, also where it has not answered in full in time. */
  async get<T>(path: string): Promise<T> {
    return await this.#read(path, (response) => response.json() as Promise<T>);
  }

  /** Bytes. Throws as `get` does. */
  async bytes(path: string): Promise<Uint8Array> {
    return await this.#read(path, async (response) => new Uint8Array(await response.arrayBuffer()));
  }

  /** Sends a JSON body, or bytes as they are, and gives the answer, however long the work takes. */
  async send<T>(method: 'POST' | 'PUT', path: string, body: object | Uint8Array): Promise<T> {
    return (await this.#call(method, path, body)).json() as Promise<T>;
  }

  async #read<T>(path: string, body: (response: Response) => Promise<T>): Promise<T> {
    const response = await this.#call('GET', path, undefined, AbortSignal.timeout(this.#patienceMs));
    return await body(response).catch((error: unknown) => this.#silent(error));
  }

  #silent(error: unknown): never {
    const reason = error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
    throw consoleErrors.CONSOLE_UNREACHABLE({ url: this.#url, reason }, error);
  }

  async #call(method: string, path: string, body?: object | Uint8Array, signal: AbortSignal | null = null): Promise<Response> {
    const binary = body instanceof Uint8Array;
    const headers = { authorization: `Bearer ${this.#token}`, ...(body && !binary ? { 'content-type': 'application/json' } : {}) };
    const content = body === undefined ? {} : { body: binary ? new Blob([new Uint8Array(body)]) : JSON.stringify(body) };
    const url = `${this.#url}${path}`;
    const asked = signal === null ? patientFetch(url, { method, headers, ...content }) : fetch(url, { method, headers, signal });
    const response = await asked.catch((error: unknown) => this.#silent(error));
    if (!response.ok) throw await this.#error(response);
    return response;
  }

  async #error(response: Response): Promise<SwarmError> {
    const body = (await response.json().catch(() => ({}))) as ErrorBody;
    const { code = 'CONSOLE_UNREACHABLE', message = `status ${response.status}`, remedy = '', blame = 'operator', detail = {} } = body.error ?? {};
    return new SwarmError(code, { blame, cause: () => message, remedy }, detail);
  }
}
