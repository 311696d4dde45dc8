/** Who may connect: peer ids of active members, checked right after the handshake in both directions, then again by the hello. */
import type { ConnectionGater } from '@libp2p/interface';
import { type Account, type Clock, isSwarmError, type Logger, type PeerId } from '../common/index.ts';
import { bindingStatement, commonVersion, decodeHello, type Hello } from '../wire/index.ts';
import { networkErrors } from './errors.ts';
import { verifyPeerSignature } from './keys.ts';

/** Recovers the account that signed `message` by EIP-191; undefined where the signature is not valid. */
export type AccountSignatureCheck = (message: Uint8Array, signature: string) => Account | undefined;

/** The allow-list of a network and what it refused. */
export class Admission {
  readonly #self: PeerId;
  readonly #logger: Logger;
  readonly #clock: Clock;
  readonly #notBeforeMs = new Map<string, number>();
  readonly #incompatible = new Map<PeerId, readonly number[]>();
  #members: ReadonlyMap<PeerId, Account> = new Map();
  refusedOutsiders = 0;
  refusedHellos = 0;
  refusedVersions = 0;

  constructor(self: PeerId, { logger, clock }: { readonly logger: Logger; readonly clock: Clock }) {
    this.#self = self;
    this.#logger = logger;
    this.#clock = clock;
  }

  /** Replaces the allow-list. */
  setMembers(members: ReadonlyMap<PeerId, Account>): void {
    this.#members = members;
    for (const peer of this.#notBeforeMs.keys()) if (!this.accountOf(peer)) this.#notBeforeMs.delete(peer);
    for (const peer of this.#incompatible.keys()) if (!this.accountOf(peer)) this.#incompatible.delete(peer);
  }

  /** All members with their accounts. */
  members(): ReadonlyMap<PeerId, Account> {
    return this.#members;
  }

  /** The account of an active member; undefined for anybody else. */
  accountOf(peer: string): Account | undefined {
    return this.#members.get(peer as PeerId);
  }

  /** Nobody dials `peer` for so long: it refused us, and the DHT would ask again a hundred times a second. */
  postpone(peer: string, waitMs: number): void {
    this.#notBeforeMs.set(peer, this.#clock.nowMs() + waitMs);
  }

  /** Members dial members; a peer that is none itself would be refused and calls nobody. */
  #mayDial(peer: string): boolean {
    return this.accountOf(this.#self) !== undefined && this.accountOf(peer) !== undefined && this.#clock.nowMs() >= (this.#notBeforeMs.get(peer) ?? 0);
  }

  /** The hooks by which libp2p asks. */
  gater(): ConnectionGater {
    const denied = (peer: { toString(): string }, direction: string): boolean => {
      if (this.accountOf(peer.toString())) return false;
      this.refusedOutsiders++;
      this.#logger.warn('a peer that is not an active member was refused', { peer: peer.toString(), direction });
      return true;
    };
    return {
      denyDialMultiaddr: () => false,
      denyDialPeer: (peer) => !this.#mayDial(peer.toString()),
      denyInboundEncryptedConnection: (peer) => denied(peer, 'inbound'),
      denyOutboundEncryptedConnection: (peer) => denied(peer, 'outbound'),
    };
  }

  /** Members that speak no version of the protocol in common with this peer, with those that they speak. */
  incompatible(): ReadonlyMap<PeerId, readonly number[]> {
    return this.#incompatible;
  }

  /** Checks a hello from `peer`. Throws NETWORK_BAD_HELLO or NETWORK_NO_COMMON_VERSION. */
  checkHello(peer: string, bytes: Uint8Array, ours: Hello, accountSigner: AccountSignatureCheck): Hello {
    const refuse = (reason: string): never => {
      this.refusedHellos++;
      throw networkErrors.NETWORK_BAD_HELLO({ peer, reason });
    };
    const hello = this.#decode(bytes, refuse);
    if (hello.chainId !== ours.chainId || hello.contract !== ours.contract) return refuse('it belongs to another consortium');
    if (hello.peerId !== peer) return refuse('it names another peer id than the connection');
    if (this.accountOf(peer) !== hello.account) return refuse('the ledger binds this peer id to another account');
    const statement = bindingStatement(hello);
    if (accountSigner(statement, hello.accountSignature) !== hello.account) return refuse('the account did not sign it');
    if (!verifyPeerSignature(hello.peerId, statement, hello.peerSignature)) return refuse('the peer key did not sign it');
    this.#incompatible.delete(hello.peerId);
    if (commonVersion(ours.versions, hello.versions) !== undefined) return hello;
    this.#incompatible.set(hello.peerId, hello.versions);
    this.refusedVersions++;
    throw networkErrors.NETWORK_NO_COMMON_VERSION({ peer, theirs: hello.versions, ours: ours.versions });
  }

  #decode(bytes: Uint8Array, refuse: (reason: string) => never): Hello {
    try {
      return decodeHello(bytes);
    } catch (error) {
      if (!isSwarmError(error)) throw error;
      return refuse(error.message);
    }
  }
}
