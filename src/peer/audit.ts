/**
 * Accountable opening, at an institution and at an auditor: the offline key, a sealed record opened with it, the facts of a run, and the comparison
 * of both. Works on files and on the ledger; no running peer is needed.
 */
import { randomBytes } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { checkOpening, type Opening, openedUpdate, type Submitted } from '../aggregation/index.ts';
import { type Clock, fromHex, silentLogger, toHex, utf8 } from '../common/index.ts';
import { connectLedger, freshAccountKey, type LedgerEvent, probeLedger } from '../ledger/index.ts';
import type { Study } from '../study/index.ts';
import { vectorBytes } from '../tensor/index.ts';
import type { RoundKey } from '../wire/index.ts';
import { factsOfRound, type OpeningFile, openingText, type RunFacts, type RunFactsDocument, readFactsText, readOpeningText } from './audit-files.ts';
import { readConsortium } from './config.ts';
import { peerErrors } from './errors.ts';
import { ledgerEndpoint } from './home.ts';
import { auditFileSizeBytes } from './limits.ts';
import { auditFolder, offlinePublicKey, recordName, unsealRecord } from './store/audit-records.ts';
import { readIfThere, sizeIfThere, writeWhole } from './store/files.ts';
import { readWords } from './store/words.ts';

export type { RunFactsDocument } from './audit-files.ts';

/** What an auditor learns. `who` is the member's name on the ledger. */
export type AuditResult = RoundKey & { readonly who: string; readonly members: readonly string[]; readonly attempt: number } & (
    | { readonly kind: 'fits'; readonly submitted: Submitted; readonly update: Uint8Array | undefined }
    | { readonly kind: 'differs'; readonly reason: string }
  );

/** Makes an offline key pair, its private half in `file` with mode 0600, and gives the public half as config.toml has it. Throws PEER_AUDIT_FILE where the file exists. */
export function createAuditKey(file: string): string {
  if (sizeIfThere(file) !== undefined) throw peerErrors.PEER_AUDIT_FILE({ file, reason: 'it already exists, and a key is never overwritten' });
  const privateKey = new Uint8Array(randomBytes(32));
  writeWhole(file, utf8(`${toHex(privateKey)}\n`), 'the offline key');
  return toHex(offlinePublicKey(privateKey) ?? privateKey);
}

/** Opens the record of a round with the offline key and writes the opening to `out`, mode 0600. Throws PEER_UNKNOWN where there is no such record, or PEER_AUDIT_FILE. */
export function openSealedRecord(home: string, round: RoundKey, { key: keyFile, out }: { readonly key: string; readonly out: string }): void {
  const folder = join(home, auditFolder);
  const sealed = readIfThere(join(folder, recordName(round)));
  if (!sealed) throw peerErrors.PEER_UNKNOWN({ what: 'sealed record', name: `${round.run}-${round.round}`, known: recordsIn(folder) });
  const key = fromHex(textOf(keyFile, 4096).trim());
  const record = key && unsealRecord(key, round, sealed);
  if (!record) throw peerErrors.PEER_AUDIT_FILE({ file: keyFile, reason: 'it does not hold the key to which this record was sealed' });
  const words = readWords(folder, { round, key: record.wordsKey });
  if (!words) throw peerErrors.PEER_AUDIT_FILE({ file: folder, reason: `the words of round ${round.round} of run ${round.run} are missing or were changed` });
  const { chainId, contract } = readConsortium(home);
  writeOpening(out, { chainId, contract, ...round, opening: { ...record.opening, words } });
}

function writeOpening(file: string, opening: OpeningFile): void {
  if (opening.opening.words.length * 1.4 > auditFileSizeBytes.opening)
    throw peerErrors.PEER_AUDIT_FILE({ file, reason: 'the opening is too large for one file' });
  writeWhole(file, utf8(`${openingText(opening)}\n`), 'an opening');
}

function recordsIn(folder: string): readonly string[] {
  if (sizeIfThere(folder) === undefined) return [];
  return readdirSync(folder).flatMap((name) => (name.endsWith('.sealed') ? [name.replace('.sealed', '')] : []));
}

/** All facts of a run, read from the ledger afresh with the access of `home`. Throws PEER_UNKNOWN where the ledger has no such run. */
export async function exportRunFacts(
  home: string,
  run: number,
  { clock }: { readonly clock: Clock },
  { signal }: { readonly signal: AbortSignal },
): Promise<RunFactsDocument> {
  const consortium = readConsortium(home);
  const { chainId, contract } = consortium;
  const endpoint = ledgerEndpoint(home, consortium);
  const { block } = await probeLedger(endpoint, { clock }, { signal });
  await using ledger = await connectLedger({ ...endpoint, chainId, contract, key: freshAccountKey() }, { clock, logger: silentLogger }, { signal });
  const [events, names]: [LedgerEvent[], Map<RunFactsDocument['contract'], string>] = [[], new Map()];
  for await (const batch of ledger.batches(undefined, { signal })) {
    for (const event of batch.events) {
      if (event.scope !== 'consortium' && event.run === run) events.push(event);
      if (event.scope === 'consortium' && event.fact.kind === 'admitted' && events.length === 0) names.set(event.fact.account, event.fact.name);
    }
    if (batch.cursor.block >= block) break;
  }
  if (events.length === 0) throw peerErrors.PEER_UNKNOWN({ what: 'run', name: String(run), known: [] });
  return { format: 'schwarm.facts/1', chainId, contract, run, members: [...names].map(([account, name]) => ({ account, name })), events };
}

/** The facts in a file that `exportRunFacts` filled. Throws PEER_AUDIT_FILE. */
export function readRunFacts(file: string): RunFacts {
  return taken(file, readFactsText(textOf(file, auditFileSizeBytes.facts)));
}

/** Facts that were just read, in the form in which a file gives them. */
export function runFactsOf(document: RunFactsDocument): RunFacts {
  return taken('the ledger', readFactsText(JSON.stringify(document)));
}

/** The run that an opening is of, and its comparison with that run's facts; with the study where that names its groups. Throws PEER_AUDIT_FILE where the file is no opening. */
export function auditOpening(file: string): { readonly run: number; readonly check: (facts: RunFacts, study?: Study) => AuditResult } {
  const opening = taken(file, readOpeningText(textOf(file, auditFileSizeBytes.opening)));
  return { run: opening.run, check: (facts, study) => compared(opening, facts, study) };
}

function compared({ opening, chainId, contract, run, round }: OpeningFile, facts: RunFacts, study: Study | undefined): AuditResult {
  const found = factsOfRound(facts, round, study);
  const accounts = typeof found === 'string' ? [] : found.accounts;
  const nameOf = (member: number): string => {
    const account = accounts[member];
    return account ? facts.nameOf(account) : `member ${member}`;
  };
  const of = { run, round, who: nameOf(opening.member), members: opening.set.map(nameOf), attempt: opening.attempt };
  if (facts.chainId !== chainId || facts.contract !== contract || facts.run !== run) return { ...of, kind: 'differs', reason: 'the facts are of another run' };
  if (typeof found === 'string') return { ...of, kind: 'differs', reason: found };
  const result = checkOpening(opening, found);
  return { ...of, ...(result.kind === 'fits' ? { ...result, update: updateBytes(opening) } : result) };
}

function updateBytes(opening: Opening): Uint8Array | undefined {
  const update = openedUpdate(opening);
  return update && vectorBytes(update);
}

function textOf(file: string, limitBytes: number): string {
  const size = sizeIfThere(file);
  if (size === undefined) throw peerErrors.PEER_AUDIT_FILE({ file, reason: 'it does not exist' });
  if (size > limitBytes) throw peerErrors.PEER_AUDIT_FILE({ file, reason: `it has ${size} bytes, at most ${limitBytes} are read` });
  return Buffer.from(readIfThere(file) ?? []).toString('utf8');
}

function taken<T>(file: string, read: T | string): T {
  if (typeof read === 'string') throw peerErrors.PEER_AUDIT_FILE({ file, reason: read });
  return read;
}
