/** A peer's folder: what is in it, how it is made, and how secrets in it are read. */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fromHex, isSwarmError, type PeerId, toHex } from '../common/index.ts';
import { type AccountKey, createAccountKey, loadAccountKey, type RpcEndpoint, signAccountMessage } from '../ledger/index.ts';
import { peerIdOfKey, signWithPeerKey } from '../network/index.ts';
import { type Enrolment, enrolmentStatement } from '../wire/index.ts';
import { type ConfigChoices, type ConsortiumFile, configText } from './config.ts';
import { peerErrors } from './errors.ts';
import { discard, privateFolder, readIfThere, storeError, writeWhole } from './store/files.ts';

/** An enrolment with the signatures of both keys over `enrolmentStatement`. */
export interface SignedEnrolment extends Enrolment {
  readonly format: 'schwarm.enrolment/1';
  readonly accountSignature: string;
  /** Hexadecimal, 64 bytes. */
  readonly peerSignature: string;
}

/** Files of a home that other rooms name. */
export const homeFiles = {
  config: 'config.toml',
  consortium: 'consortium.json',
  enrolment: 'enrolment.json',
  accountKey: 'account.key',
  peerKey: 'peer.key',
  ledgerToken: 'ledger.token',
  console: 'console.json',
} as const;

/** Makes a home with fresh keys, `config.toml` and `enrolment.json`, whole or not at all. Throws PEER_HOME_EXISTS; nothing is ever overwritten. */
export async function createHome(home: string, choices: ConfigChoices): Promise<SignedEnrolment> {
  if (existsSync(join(home, homeFiles.config)) || existsSync(join(home, homeFiles.peerKey))) throw peerErrors.PEER_HOME_EXISTS({ folder: home });
  const text = configText(choices, join(home, homeFiles.config));
  const [isNew, hadAccount] = [!existsSync(home), existsSync(join(home, homeFiles.accountKey))];
  try {
    return await fillHome(home, choices, text);
  } catch (error) {
    for (const name of [homeFiles.peerKey, homeFiles.enrolment, homeFiles.config, ...(hadAccount ? [] : [homeFiles.accountKey])]) discard(join(home, name));
    if (isNew) discard(home);
    throw isSwarmError(error) ? error : storeError(error, home, 'a new peer');
  }
}

async function fillHome(home: string, choices: ConfigChoices, config: string): Promise<SignedEnrolment> {
  privateFolder(home);
  writeWhole(join(home, homeFiles.peerKey), Buffer.from(`${toHex(randomBytes(32))}\n`), 'the peer key');
  const key = await createAccountKey(join(home, homeFiles.accountKey));
  const peerKey = loadPeerKey(home);
  const addresses = choices.announce?.length ? choices.announce : (choices.listen ?? []);
  const enrolment: Enrolment = {
    name: choices.name.trim(),
    account: key.account,
    peerId: peerIdOfKey(peerKey),
    addresses: addresses.filter((address) => !address.endsWith('/tcp/0')),
  };
  const statement = enrolmentStatement(enrolment);
  const signed: SignedEnrolment = {
    format: 'schwarm.enrolment/1',
    ...enrolment,
    accountSignature: await signAccountMessage(key, statement),
    peerSignature: toHex(signWithPeerKey(peerKey, statement)),
  };
  writeWhole(join(home, homeFiles.enrolment), Buffer.from(`${JSON.stringify(signed, null, 2)}\n`), 'enrolment.json');
  writeWhole(join(home, homeFiles.config), Buffer.from(config), 'config.toml');
  return signed;
}

/** The Ed25519 seed of the peer key, 32 bytes. Throws PEER_NO_HOME. */
export function loadPeerKey(home: string): Uint8Array {
  const stored = readIfThere(join(home, homeFiles.peerKey));
  const seed = stored && fromHex(Buffer.from(stored).toString('utf8').trim());
  if (seed?.length !== 32) throw peerErrors.PEER_NO_HOME({ folder: home });
  return seed;
}

/** The ledger token of this member; undefined where the ledger asks for none. */
export function loadLedgerToken(home: string): string | undefined {
  const stored = readIfThere(join(home, homeFiles.ledgerToken));
  return stored && Buffer.from(stored).toString('utf8').trim();
}

/** How this member reaches a ledger: its address, the member's own token where it has one, and the certificate that is pinned, where one is. */
export function ledgerEndpoint(home: string, { url, certificate }: Pick<ConsortiumFile, 'url' | 'certificate'>): RpcEndpoint {
  const token = loadLedgerToken(home);
  return { url, ...(token ? { token } : {}), ...(certificate ? { pinnedCertificate: certificate } : {}) };
}

/** This peer's account key and peer id. Throws PEER_NO_HOME. */
export async function loadIdentity(home: string): Promise<{ readonly key: AccountKey; readonly peerKey: Uint8Array; readonly peerId: PeerId }> {
  const peerKey = loadPeerKey(home);
  return { key: await loadAccountKey(join(home, homeFiles.accountKey)), peerKey, peerId: peerIdOfKey(peerKey) };
}

/** Where a run's report is written. */
export function runFolder(home: string, run: number): string {
  const folder = join(home, 'runs', String(run));
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return folder;
}
