/** What the parts of one running peer share. */
import type { Account, Clock, Logger } from '../common/index.ts';
import type { Ledger } from '../ledger/index.ts';
import type { Network } from '../network/index.ts';
import type { OnnxTrainerOptions, Trainer, TrainerParts } from '../training/index.ts';
import type { Bulk } from './bulk/bulk.ts';
import type { ConsortiumFile, PeerConfig } from './config.ts';
import type { Consortium } from './consortium.ts';
import type { BlobStore } from './store/blobs.ts';
import type { Journal } from './store/journal.ts';
import type { Vault } from './store/vault.ts';

/** How trainers are made. */
export type CreateTrainer = (options: OnnxTrainerOptions, parts: TrainerParts) => Trainer;

/** One peer's parts, made once by `createPeer`. */
export interface PeerContext {
  readonly home: string;
  readonly config: PeerConfig;
  readonly consortiumFile: ConsortiumFile;
  readonly account: Account;
  readonly consortium: Consortium;
  readonly ledger: Ledger;
  readonly network: Network;
  /** Versions of the protocol between peers that are spoken here. */
  readonly versions: readonly number[];
  readonly journal: Journal;
  readonly vault: Vault;
  readonly blobs: BlobStore;
  /** Makes the process that trains and scores. */
  readonly createTrainer: CreateTrainer;
  readonly bulk: Bulk;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Fires when the peer stops. */
  readonly signal: AbortSignal;
}
