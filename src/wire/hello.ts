/** The hello that opens every connection, and the enrolment: both bind a peer id and a ledger account by both keys. */
import { type Account, account, type PeerId, peerId, utf8 } from '../common/index.ts';
import { wireErrors } from './errors.ts';
import { maxHelloSizeBytes } from './limits.ts';
import { decodeChecked, messageType, protocolVersion } from './messages.ts';

/** Who speaks, in which consortium. */
export interface Binding {
  readonly chainId: number;
  readonly contract: Account;
  readonly account: Account;
  readonly peerId: PeerId;
}

/** A binding with the signatures of both keys over `bindingStatement`. */
export interface Hello extends Binding {
  /** EIP-191 signature of the ledger account: 0x and 130 hexadecimal digits. */
  readonly accountSignature: string;
  /** Ed25519 signature of the peer key, 64 bytes. */
  readonly peerSignature: Uint8Array;
}

/** The bytes that both keys sign: one line of text a field, readable in a wallet. */
export function bindingStatement(binding: Binding): Uint8Array {
  return utf8(`Schwarm peer binding, version 1\nchain ${binding.chainId}\ncontract ${binding.contract}\naccount ${binding.account}\npeer ${binding.peerId}\n`);
}

/** What an institution asks the consortium to admit. */
export interface Enrolment {
  readonly name: string;
  readonly account: Account;
  readonly peerId: PeerId;
  /** Multiaddresses, for the people who set up the first connection; they are not written to the ledger. */
  readonly addresses: readonly string[];
}

/** The bytes that both keys sign in `enrolment.json`. */
export function enrolmentStatement(enrolment: Enrolment): Uint8Array {
  const addresses = enrolment.addresses.map((address) => `address ${address}\n`).join('');
  return utf8(`Schwarm enrolment, version 1\nname ${JSON.stringify(enrolment.name)}\naccount ${enrolment.account}\npeer ${enrolment.peerId}\n${addresses}`);
}

/** Encodes a hello. */
export function encodeHello(hello: Hello): Uint8Array {
  const type = messageType('Hello');
  return type.encode(type.fromObject({ ...hello, version: protocolVersion })).finish();
}

/** Decodes a hello; its signatures are still to be checked. Throws WIRE_TOO_LARGE, WIRE_VERSION or WIRE_BAD_MESSAGE. */
export function decodeHello(bytes: Uint8Array): Hello {
  const fields = decodeChecked(messageType('Hello'), bytes, { what: 'hello', limitBytes: maxHelloSizeBytes });
  if (fields['version'] !== protocolVersion) throw wireErrors.WIRE_VERSION({ theirs: Number(fields['version'] ?? 0), ours: protocolVersion });
  const { chainId, accountSignature, peerSignature } = fields;
  if (typeof chainId !== 'number' || typeof accountSignature !== 'string' || !/^0x[0-9a-f]{130}$/i.test(accountSignature)) {
    throw wireErrors.WIRE_BAD_MESSAGE({ what: 'hello', reason: 'chain id or account signature' });
  }
  if (!(peerSignature instanceof Uint8Array) || peerSignature.length !== 64) throw wireErrors.WIRE_BAD_MESSAGE({ what: 'hello', reason: 'peer signature' });
  try {
    const identities = { contract: account(String(fields['contract'])), account: account(String(fields['account'])), peerId: peerId(String(fields['peerId'])) };
    return { ...identities, chainId, accountSignature, peerSignature: new Uint8Array(peerSignature) };
  } catch (error) {
    throw wireErrors.WIRE_BAD_MESSAGE({ what: 'hello', reason: 'an identity' }, error);
  }
}
