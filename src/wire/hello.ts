/** The hello that opens every connection, and the enrolment: both bind a peer id and a ledger account by both keys. */
import { type Account, account, type PeerId, peerId, utf8 } from '../common/index.ts';
import { wireErrors } from './errors.ts';
import { maxHelloSizeBytes, maxVersions } from './limits.ts';
import { decodeChecked, messageType } from './messages.ts';

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
  /** Versions of the protocol that the peer speaks, ascending, one at least. */
  readonly versions: readonly number[];
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

/** Encodes a hello. Its field `version` is the lowest one spoken: a peer that knows no list reads that alone. */
export function encodeHello(hello: Hello): Uint8Array {
  const type = messageType('Hello');
  return type.encode(type.fromObject({ ...hello, version: Math.min(...hello.versions) })).finish();
}

function versionsOf({ version, versions }: { readonly version?: unknown; readonly versions?: unknown }): readonly number[] {
  const listed: readonly unknown[] = Array.isArray(versions) && versions.length > 0 ? versions : [version];
  const numbers = listed.filter((one) => typeof one === 'number');
  const fits = numbers.length === listed.length && numbers.length <= maxVersions && numbers.every((one, at) => one > (numbers[at - 1] ?? 0));
  if (!fits) throw wireErrors.WIRE_BAD_MESSAGE({ what: 'hello', reason: 'protocol versions' });
  return numbers;
}

/** Decodes a hello; its signatures are still to be checked. Throws WIRE_TOO_LARGE or WIRE_BAD_MESSAGE. */
export function decodeHello(bytes: Uint8Array): Hello {
  const fields = decodeChecked(messageType('Hello'), bytes, { what: 'hello', limitBytes: maxHelloSizeBytes });
  const versions = versionsOf(fields);
  const { chainId, accountSignature, peerSignature } = fields;
  if (typeof chainId !== 'number' || typeof accountSignature !== 'string' || !/^0x[0-9a-f]{130}$/i.test(accountSignature)) {
    throw wireErrors.WIRE_BAD_MESSAGE({ what: 'hello', reason: 'chain id or account signature' });
  }
  if (!(peerSignature instanceof Uint8Array) || peerSignature.length !== 64) throw wireErrors.WIRE_BAD_MESSAGE({ what: 'hello', reason: 'peer signature' });
  try {
    const identities = { contract: account(String(fields['contract'])), account: account(String(fields['account'])), peerId: peerId(String(fields['peerId'])) };
    return { ...identities, chainId, accountSignature, peerSignature: new Uint8Array(peerSignature), versions };
  } catch (error) {
    throw wireErrors.WIRE_BAD_MESSAGE({ what: 'hello', reason: 'an identity' }, error);
  }
}
