/** What the parts of one running peer share. */
import type { Account, Clock, Logger } from '../common/index.ts';
import type { Ledger } from '../ledger/index.ts';
import type { Network } from '../network/index.ts';
import type { ConsortiumFile, PeerConfig } from './config.ts';
import type { Consortium } from './consortium.ts';
import type { BlobStore } from './store/blobs.ts';
import type { Journal } from './store/journal.ts';
import type { Vault } from './store/vault.ts';

/** One peer's parts, made once by `createPeer`. */
export interface PeerContext {
  readonly home: string;
  readonly config: PeerConfig;
  readonly consortiumFile: ConsortiumFile;
  readonly account: Account;
  readonly consortium: Consortium;
  readonly ledger: Ledger;
  readonly network: Network;
  readonly journal: Journal;
  readonly vault: Vault;
  readonly blobs: BlobStore;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Fires when the peer stops. */
  readonly signal: AbortSignal;
}
