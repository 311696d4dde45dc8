/**
 * The embedded chain on disk: `chain.json` (what chain this is), `blocks.log` (every confirmed block, append-only, synced before anybody
 * hears of it) and up to two snapshots of the state, by which a start is quick. The log alone is enough to build everything again.
 */
import { type FileHandle, mkdir, open, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { ledgerErrors } from '../errors.ts';
import { type BlockRecord, readRecord, writeRecord } from './records.ts';

/** What never changes in one folder. */
interface ChainIdentity {
  readonly format: 'schwarm.ledger/1';
  readonly chainId: number;
  readonly genesisTimeS: number;
}

interface Waiting {
  readonly line: string;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

const format = 'schwarm.ledger/1';
const logName = 'blocks.log';
const snapshotPattern = /^snapshot-(\d{1,15})\.json$/;
const keptSnapshots = 2;

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Writes a file so that after a crash there is either the old one or the whole new one. */
async function writeWhole(folder: string, name: string, content: string | Uint8Array): Promise<void> {
  const part = join(folder, `${name}.part`);
  await writeFile(part, content, { mode: 0o600, flush: true });
  await rename(part, join(folder, name));
  await syncFolder(folder);
}

async function identityOf(folder: string, chainId: number, nowS: number): Promise<ChainIdentity> {
  const file = join(folder, 'chain.json');
  const text = await readFile(file, 'utf8').catch(() => undefined);
  if (text === undefined) {
    const fresh: ChainIdentity = { format, chainId, genesisTimeS: nowS };
    await writeWhole(folder, 'chain.json', `${JSON.stringify(fresh)}\n`);
    return fresh;
  }
  const found = parseIdentity(text);
  if (found === undefined) throw ledgerErrors.LEDGER_STORE_DAMAGED({ file, what: 'it does not describe a chain of this version' });
  if (found.chainId !== chainId) throw ledgerErrors.LEDGER_FOLDER_OF_OTHER_CHAIN({ folder, expected: chainId, found: found.chainId });
  return found;
}

function parseIdentity(text: string): ChainIdentity | undefined {
  try {
    const found = JSON.parse(text) as Partial<Record<keyof ChainIdentity, unknown>>;
    const { chainId, genesisTimeS } = found;
    const right = found.format === format && Number.isSafeInteger(chainId) && Number.isSafeInteger(genesisTimeS);
    return right ? { format, chainId: Number(chainId), genesisTimeS: Number(genesisTimeS) } : undefined;
  } catch {
    return undefined;
  }
}

/** The folder of one embedded chain, held open for appending. */
export class ChainStore implements AsyncDisposable {
  readonly identity: ChainIdentity;
  readonly #folder: string;
  readonly #log: FileHandle;
  #waiting: Waiting[] = [];
  #writing: Promise<void> | undefined;
  #failure: unknown;

  private constructor(folder: string, identity: ChainIdentity, log: FileHandle) {
    this.#folder = folder;
    this.identity = identity;
    this.#log = log;
  }

  /** Opens the folder, making it where it is missing. Throws LEDGER_STORE_DAMAGED, LEDGER_FOLDER_OF_OTHER_CHAIN, LEDGER_STORE_FAILED. */
  static async open(folder: string, chainId: number, nowS: number): Promise<ChainStore> {
    try {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const identity = await identityOf(folder, chainId, nowS);
      const log = await open(join(folder, logName), 'a+', 0o600);
      await syncFolder(folder);
      return new ChainStore(folder, identity, log);
    } catch (error) {
      throw (error as { code?: string }).code?.startsWith('LEDGER_') ? error : ledgerErrors.LEDGER_STORE_FAILED({ file: folder, why: String(error) }, error);
    }
  }

  get #file(): string {
    return join(this.#folder, logName);
  }

  /** Every confirmed block in order. A torn end (the crash came before its sync, so nobody heard of it) is cut; anything else out of order throws LEDGER_STORE_DAMAGED. */
  async *records(): AsyncGenerator<BlockRecord> {
    const reader = await open(this.#file, 'r');
    let goodBytes = 0;
    let next = 1;
    try {
      let torn = false;
      for await (const line of createInterface({ input: reader.createReadStream({ autoClose: false, start: 0 }), crlfDelay: Number.POSITIVE_INFINITY })) {
        const record = readRecord(line);
        if (record !== undefined && (torn || record.number !== next))
          throw ledgerErrors.LEDGER_STORE_DAMAGED({ file: this.#file, what: `block ${next} is missing or unreadable` });
        torn ||= record === undefined;
        if (record === undefined) continue;
        goodBytes += line.length + 1;
        next += 1;
        yield record;
      }
      await this.#cut(goodBytes);
    } finally {
      await reader.close();
    }
  }

  /** A whole last record may lack its line end: then it is written anew, never half. */
  async #cut(goodBytes: number): Promise<void> {
    const { size } = await this.#log.stat();
    if (size === goodBytes) return;
    if (size > goodBytes) await this.#log.truncate(goodBytes);
    else await this.#log.write('\n');
    await this.#log.sync();
  }

  /** Resolves when the record is on the disk; records that come meanwhile share the next sync. After a failure nothing is accepted any more. */
  append(record: BlockRecord): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    const written = new Promise<void>((resolve, reject) => this.#waiting.push({ line: writeRecord(record), resolve, reject }));
    this.#writing ??= this.#write();
    return written;
  }

  async #write(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting;
      this.#waiting = [];
      try {
        await this.#log.appendFile(batch.map(({ line }) => line).join(''));
        await this.#log.datasync();
        for (const { resolve } of batch) resolve();
      } catch (error) {
        this.#failure = ledgerErrors.LEDGER_STORE_FAILED({ file: this.#file, why: error instanceof Error ? error.message : 'unknown' }, error);
        for (const { reject } of [...batch, ...this.#waiting]) reject(this.#failure);
        this.#waiting = [];
      }
    }
    this.#writing = undefined;
  }

  /** Snapshots, newest first. */
  async snapshots(): Promise<readonly { readonly block: number; readonly file: string }[]> {
    const names = await readdir(this.#folder);
    const found = names.flatMap((name) => {
      const block = snapshotPattern.exec(name)?.[1];
      return block === undefined ? [] : [{ block: Number(block), file: join(this.#folder, name) }];
    });
    return found.sort((a, b) => b.block - a.block);
  }

  /** Keeps the engine's state after `block`, and of the older ones only the one before. */
  async saveSnapshot(block: number, state: Uint8Array): Promise<void> {
    await writeWhole(this.#folder, `snapshot-${block}.json`, state);
    for (const { file } of (await this.snapshots()).slice(keptSnapshots)) await rm(file, { force: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writing;
    await this.#log.close();
  }
}
