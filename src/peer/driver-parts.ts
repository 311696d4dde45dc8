/** What a run's driver works with, and what it is given. */
import type { GroupTree, KeyAgreement } from '../aggregation/index.ts';
import type { Account, Clock, Digest, Logger, PeerId } from '../common/index.ts';
import type { Ledger } from '../ledger/index.ts';
import type { Network } from '../network/index.ts';
import type { RoundFact } from '../wire/index.ts';
import type { Bulk } from './bulk/bulk.ts';
import type { RunView } from './consortium.ts';
import type { LocalRows } from './local-work.ts';
import type { Question } from './question.ts';
import type { RowsBase } from './releases.ts';
import type { BlobStore } from './store/blobs.ts';
import type { Journal, JournalInput } from './store/journal.ts';
import type { Vault } from './store/vault.ts';

/** What a driver works with. */
export interface DriverParts {
  readonly ledger: Ledger;
  readonly network: Network;
  readonly journal: Journal;
  readonly vault: Vault;
  readonly blobs: BlobStore;
  /** How pairs agree on keys, where it is not X25519 with ML-KEM-768: for simulations. */
  readonly keyAgreement?: KeyAgreement;
  readonly bulk: Bulk;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly peerIdOf: (account: Account) => PeerId | undefined;
  readonly nameOf: (account: Account) => string;
  /** What the sums of this study depend on at this member; undefined where it has not approved. */
  readonly own: RowsBase | undefined;
  /** The run as the ledger tells it now. */
  readonly view: () => RunView;
  /** Whether another run of this member needs a state; not so where nothing is said. */
  readonly keptElsewhere?: (state: Digest) => boolean;
  /** Called when something happened that people see. */
  readonly changed: () => void;
  /** Called once with an error after which the peer cannot go on. */
  readonly failed: (error: unknown) => void;
}

/** What a batch of the ledger brings for one run. */
export interface Due {
  readonly facts: readonly DueFact[];
  /** Members that left, or whose account was revoked. */
  readonly gone: readonly number[];
  readonly timeS: number;
  readonly isLatest: boolean;
}

/** A round fact on its way into a machine. */
export interface DueFact {
  readonly round: number;
  readonly fact: RoundFact;
}

/** What has to be stored together with the facts of a batch, and what to do once it is. */
export interface Preview {
  readonly inputs: readonly JournalInput[];
  readonly adopt: () => void;
}

/** Everything a run needs once its study and rows are there. */
export interface Prepared {
  readonly question: Question;
  readonly rows: LocalRows;
  readonly genesis: { readonly bytes: Uint8Array; readonly hash: Digest };
  /** Groups of the whole run where the study names them. */
  readonly groups?: GroupTree | undefined;
  /** The public half of the institution's offline key, where the study has an audit window. */
  readonly auditKey?: Uint8Array | undefined;
}
