/** Founding a consortium: the embedded ledger, the contracts, and enrolments whose two signatures were checked. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { account, type Clock, fromHex, isSwarmError, type Logger, peerId } from '../common/index.ts';
import { deployConsortium, freshToken, type LedgerToken, probeLedger, type ServedLedger, serveLedger, verifyAccountSignature } from '../ledger/index.ts';
import { verifyPeerSignature } from '../network/index.ts';
import { packStudy, readStudy, type Study, writeStudyTemplate } from '../study/index.ts';
import { enrolmentStatement, maxAddresses, maxAddressSizeBytes, maxNameSizeBytes } from '../wire/index.ts';
import type { ConsortiumFile } from './config.ts';
import { peerErrors } from './errors.ts';
import { homeFiles, ledgerEndpoint, loadIdentity, type SignedEnrolment } from './home.ts';
import { privateFolder, readIfThere, writeWhole } from './store/files.ts';

type Cancellable = { readonly signal: AbortSignal };
type Parts = { readonly clock: Clock; readonly logger: Logger };

const enrolmentSchema = z.strictObject({
  format: z.literal('schwarm.enrolment/1'),
  name: z.string().min(1).max(maxNameSizeBytes),
  account: z.string().transform((text) => account(text)),
  peerId: z.string().transform((text) => peerId(text)),
  addresses: z.array(z.string().max(maxAddressSizeBytes)).max(maxAddresses),
  accountSignature: z.string(),
  peerSignature: z.string(),
});

/** Reads `enrolment.json` and checks both signatures. Throws PEER_BAD_ENROLMENT. */
export function checkEnrolment(text: string, file: string): SignedEnrolment {
  const bad = (reason: string, cause?: unknown) => peerErrors.PEER_BAD_ENROLMENT({ file, reason }, cause);
  const enrolment = parseEnrolment(text, bad);
  const statement = enrolmentStatement(enrolment);
  if (verifyAccountSignature(statement, enrolment.accountSignature) !== enrolment.account) throw bad('its account did not sign it');
  const signature = fromHex(enrolment.peerSignature);
  if (!signature || !verifyPeerSignature(enrolment.peerId, statement, signature)) throw bad('its peer key did not sign it');
  return enrolment;
}

function parseEnrolment(text: string, bad: (reason: string, cause?: unknown) => Error): SignedEnrolment {
  try {
    return enrolmentSchema.parse(JSON.parse(text));
  } catch (error) {
    throw bad(isSwarmError(error) ? error.message : 'it is not the enrolment.json that `schwarm init` writes', error);
  }
}

/** Reads and checks an enrolment file. */
export async function readEnrolment(file: string, { signal }: Cancellable): Promise<SignedEnrolment> {
  const text = await readFile(file, { encoding: 'utf8', signal }).catch((error: unknown) => {
    throw peerErrors.PEER_BAD_ENROLMENT({ file, reason: 'it cannot be read' }, error);
  });
  return checkEnrolment(text, file);
}

/** How the embedded ledger is offered. */
export interface LedgerOffer {
  readonly folder: string;
  readonly host: string;
  readonly port: number;
  readonly chainId: number;
  /** Members that get a token of their own, in `tokens/NAME.token`; tokens that exist stay as they are. */
  readonly members: readonly string[];
  /** Needed off loopback: PEM files. */
  readonly tls?: { readonly certificateFile: string; readonly keyFile: string };
}

/** Makes a token for each member that has none, and writes each into a file to be handed over. Without members one token serves everybody on this machine. */
function giveTokens(folder: string, members: readonly string[]): void {
  if (members.length === 0) return;
  const file = join(folder, 'tokens.json');
  const stored = readIfThere(file);
  const known: LedgerToken[] = stored ? JSON.parse(Buffer.from(stored).toString('utf8')) : [];
  const tokens = [...known, ...members.filter((name) => !known.some((token) => token.name === name)).map(freshToken)];
  writeWhole(file, Buffer.from(JSON.stringify(tokens, null, 2)), 'tokens.json');
  const handOver = privateFolder(folder, 'tokens');
  for (const { name, token } of tokens)
    writeWhole(join(handOver, `${name.replaceAll(/[^A-Za-z0-9._-]/g, '_')}.token`), Buffer.from(token), `the token of ${name}`);
}

/** Serves the embedded ledger from a folder; its tokens are in `tokens.json` there. */
export async function serveEmbeddedLedger(offer: LedgerOffer, parts: Parts): Promise<ServedLedger> {
  const { folder, host, port, chainId, members, tls } = offer;
  privateFolder(folder);
  giveTokens(folder, members);
  const files = tls && { certificate: await readFile(tls.certificateFile, 'utf8'), key: await readFile(tls.keyFile, 'utf8') };
  return await serveLedger({ folder, host, port, chainId, tokens: { file: join(folder, 'tokens.json') }, ...(files ? { tls: files } : {}) }, parts);
}

/** What `ledger deploy` is given. */
export interface Founding {
  readonly home: string;
  readonly url: string;
  readonly mode: ConsortiumFile['mode'];
  readonly founders: readonly SignedEnrolment[];
  readonly votePercent: number;
  /** PEM of the ledger's certificate, off loopback. */
  readonly certificate?: string;
}

/** Deploys the contracts with the deployer's account and writes `consortium.json` into its home. */
export async function foundConsortium(founding: Founding, parts: Parts, { signal }: Cancellable): Promise<ConsortiumFile> {
  const { home, url, mode, founders, votePercent, certificate } = founding;
  const { key } = await loadIdentity(home);
  const endpoint = ledgerEndpoint(home, founding);
  const { chainId } = await probeLedger(endpoint, parts, { signal });
  const members = founders.map(({ account, peerId, name }) => ({ account, peerId, name }));
  const { contract } = await deployConsortium({ ...endpoint, chainId, key, founders: members, votePercent }, parts, { signal });
  const file: ConsortiumFile = { format: 'schwarm.consortium/1', mode, url, chainId, contract, ...(certificate ? { certificate } : {}) };
  writeWhole(join(home, homeFiles.consortium), Buffer.from(`${JSON.stringify(file, null, 2)}\n`), 'consortium.json');
  return file;
}

/** Reads and checks a study folder, and packs it for the way to the peer. Throws STUDY_…. */
export async function packStudyFolder(folder: string, options: Cancellable): Promise<{ readonly study: Study; readonly packed: Uint8Array }> {
  const study = await readStudy(folder, options);
  return { study, packed: packStudy(study) };
}

/** Writes the template of a new study. */
export async function newStudyFolder(folder: string, options: Cancellable & { readonly kind: 'training' | 'statistics' }): Promise<void> {
  await writeStudyTemplate(folder, options);
}
