/** `ledger serve`: folder, engine and gateway as one thing that starts whole or not at all. */
import { mkdir } from 'node:fs/promises';
import type { SwarmError } from '../../common/index.ts';
import { ledgerErrors } from '../errors.ts';
import { EmbeddedChain } from './chain.ts';
import { type EngineParts, engineName } from './engine.ts';
import { type GatewayTls, openGateway } from './gateway.ts';
import { lockFolder } from './lock.ts';
import { ChainStore } from './store.ts';
import { checkTokens, type LedgerToken, loadTokens, tokenChecker } from './tokens.ts';

/** How the embedded ledger is served. */
export interface ServeOptions {
  /** Holds the chain; one process at a time. */
  readonly folder: string;
  /** Beyond loopback `tls` and named tokens are required. */
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  readonly chainId: number;
  /** The tokens themselves, or the file that holds them (made with one fresh token where it is missing). */
  readonly tokens: readonly LedgerToken[] | { readonly file: string };
  readonly tls?: GatewayTls;
}

/** A served ledger. Disposing ends the gateway, keeps a snapshot and ends the engine. */
export interface ServedLedger extends AsyncDisposable {
  readonly url: string;
  readonly chainId: number;
  readonly engine: string;
  readonly tokens: readonly LedgerToken[];
  /** Resolves when the ledger cannot go on, with the reason; with undefined after disposal. */
  readonly ended: Promise<SwarmError | undefined>;
  /** Process id of the engine as it is now. */
  enginePid(): Promise<number>;
}

const loopback = /^(127\.\d+\.\d+\.\d+|::1|localhost)$/;

async function tokensOf(options: ServeOptions): Promise<readonly LedgerToken[]> {
  const isLocal = loopback.test(options.host);
  if (!isLocal && options.tls === undefined) throw ledgerErrors.LEDGER_UNSAFE_HOST({ host: options.host, missing: 'TLS' });
  return 'file' in options.tokens ? await loadTokens(options.tokens.file) : checkTokens(options.tokens);
}

/**
 * Serves the embedded ledger. Throws LEDGER_FOLDER_IN_USE, LEDGER_PORT_IN_USE, LEDGER_UNSAFE_HOST, LEDGER_BAD_TOKENS, and what the store,
 * the replay and the engine throw; nothing is left running then.
 */
export async function serveLedger(options: ServeOptions, parts: EngineParts): Promise<ServedLedger> {
  await using started = new AsyncDisposableStack();
  const tokens = await tokensOf(options);
  await mkdir(options.folder, { recursive: true, mode: 0o700 }).catch((error) => {
    throw ledgerErrors.LEDGER_STORE_FAILED({ file: options.folder, why: error instanceof Error ? error.message : 'unknown' }, error);
  });
  started.use(await lockFolder(options.folder));
  const store = started.use(await ChainStore.open(options.folder, options.chainId, Math.floor(parts.clock.calendarMs() / 1_000)));
  const chain = started.use(await EmbeddedChain.open(store, parts));
  const gate = { host: options.host, port: options.port, tls: options.tls, holderOf: tokenChecker(tokens) };
  const gateway = started.use(await openGateway(chain, gate, parts));
  const running = started.move();
  parts.logger.info('embedded ledger is open', { url: gateway.url, chainId: options.chainId, block: chain.confirmedBlock });
  return {
    url: gateway.url,
    chainId: options.chainId,
    engine: engineName,
    tokens,
    ended: chain.ended,
    enginePid: () => chain.enginePid(),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}
