/** What was confirmed survives: SIGKILL of gateway and engine at any moment, restarts, torn and changed files. */
import { type ChildProcess, spawn } from 'node:child_process';
import { appendFile, readdir, readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { silentLogger } from '../../src/common/index.ts';
import { readRecord, writeRecord } from '../../src/ledger/embedded/records.ts';
import { JsonRpc } from '../../src/ledger/evm/rpc.ts';
import { type AccountKey, connectLedger, deployConsortium, type Ledger, type LedgerCursor, type Receipt, type ServedLedger } from '../../src/ledger/index.ts';
import { realClock } from '../support/clock.ts';
import { chainId, founderOf, freshFolder, freshKeys, named, open, serveIn, token } from '../support/ledger.ts';
import { freePort } from '../support/sockets.ts';

const parts = { clock: realClock, logger: silentLogger };
const record = (at: number) => ({ kind: 'record', label: 'n', subject: named(`${at}`), hash: named('h') }) as const;

interface Confirmed extends Receipt {
  readonly at: number;
}

interface Founded {
  readonly key: AccountKey;
  connect(url: string): Promise<Ledger>;
}

async function found(url: string): Promise<Founded> {
  const [key] = freshKeys(1) as [AccountKey];
  const where = { token: token.token, chainId, key, pollMs: 5 };
  const { contract } = await deployConsortium({ ...where, url, founders: [founderOf(key, 'only')], votePercent: 50 }, parts, open);
  return { key, connect: (at) => connectLedger({ ...where, url: at, contract }, parts, open) };
}

async function head(url: string): Promise<{ hash: string; block: number }> {
  using rpc = new JsonRpc({ url, token: token.token }, realClock);
  const block = (await rpc.call('eth_getBlockByNumber', ['latest', false], open)) as { number: string; hash: string };
  return { hash: block.hash, block: Number(block.number) };
}

/** Events of the whole chain by their record's number. */
async function recorded(ledger: Ledger): Promise<Map<string, { transaction: string; block: number }[]>> {
  const found = new Map<string, { transaction: string; block: number }[]>();
  const marker = await ledger.submit(record(-1), open);
  for await (const batch of ledger.batches(undefined, open)) {
    for (const { fact, transaction, block } of batch.events) {
      if (fact.kind === 'recorded') found.set(fact.subject, [...(found.get(fact.subject) ?? []), { transaction, block }]);
    }
    if (batch.cursor.block >= marker.block) break;
  }
  return found;
}

/** False also for a process that ended and was not yet collected by its new parent. */
async function lives(pid: number): Promise<boolean> {
  try {
    process.kill(pid, 0);
    return !/\) Z /.test(await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => ''));
  } catch {
    return false;
  }
}

describe('a ledger in a process of its own', () => {
  async function start(folder: string, port: number): Promise<{ child: ChildProcess; url: string; enginePid: number }> {
    const script = fileURLToPath(new URL('./children/ledger-serve.ts', import.meta.url));
    const child = spawn(process.execPath, [script, folder, String(port), token.token], { stdio: ['ignore', 'pipe', 'inherit'] });
    const line = await new Promise<string>((resolve, reject) => {
      child.stdout?.once('data', (data) => resolve(String(data)));
      child.once('exit', (code) => reject(new Error(`ended with ${code}`)));
    });
    const [url = '', pid = '0'] = line.trim().split(' ');
    return { child, url, enginePid: Number(pid) };
  }

  const gone = (child: ChildProcess): Promise<void> =>
    new Promise((resolve) => (child.exitCode === null && child.signalCode === null ? child.once('exit', () => resolve()) : resolve()));

  it('loses no confirmed transaction to SIGKILL, at whatever moment, of gateway or engine', async () => {
    await using owned = new AsyncDisposableStack();
    const { folder, remove } = await freshFolder();
    owned.defer(remove);
    const port = await freePort();
    let serving = await start(folder, port);
    owned.defer(async () => {
      serving.child.kill('SIGKILL');
      await gone(serving.child);
    });
    const founded = await found(serving.url);
    const ledger = owned.use(await founded.connect(serving.url));
    const confirmed: Confirmed[] = [];
    const stop = new AbortController();
    owned.defer(() => stop.abort());
    const writing = (async () => {
      for (let at = 0; !stop.signal.aborted; at++) {
        const receipt = await ledger.submit(record(at), open).catch(() => undefined);
        if (receipt === undefined) await realClock.sleep(20, open);
        else confirmed.push({ ...receipt, at });
      }
    })();
    for (const [kill, delayMs] of [2, 11, 7, 0, 5].entries()) {
      const before = confirmed.length;
      while (confirmed.length < before + 5) await realClock.sleep(3, open);
      await realClock.sleep(delayMs, open);
      if (kill % 2 === 0) process.kill(serving.enginePid, 'SIGKILL');
      serving.child.kill('SIGKILL');
      await gone(serving.child);
      while (await lives(serving.enginePid)) await realClock.sleep(10, open);
      serving = await start(folder, port);
    }
    stop.abort();
    await writing;
    const all = await recorded(ledger);
    for (const { at, transaction, block } of confirmed) expect(all.get(named(`${at}`))).toContainEqual({ transaction, block });
    expect(confirmed.length).toBeGreaterThanOrEqual(25);
  });
});

describe('a full disk', () => {
  it('ends the ledger with its reason, and what was confirmed before is there afterwards', async () => {
    const { folder, remove } = await freshFolder();
    const script = fileURLToPath(new URL('./children/ledger-serve.ts', import.meta.url));
    // The file size limit of the shell stands for the end of the disk: 300 blocks of 512 bytes.
    const limited = `trap "" XFSZ; ulimit -f 300; exec "$@"`;
    const child = spawn('/bin/sh', ['-c', limited, 'sh', process.execPath, script, folder, '0', token.token], { stdio: ['ignore', 'pipe', 'inherit'] });
    const said: string[] = [];
    child.stdout.on('data', (data) => said.push(...String(data).trim().split('\n')));
    while (said.length === 0) await realClock.sleep(10, open);
    const founded = await found(said[0]?.split(' ')[0] ?? '');
    const ledger = await founded.connect(said[0]?.split(' ')[0] ?? '');
    const confirmed: Receipt[] = [];
    const failed = await (async () => {
      for (let at = 0; ; at++) confirmed.push(await ledger.submit(record(at), open));
    })().catch((error: unknown) => error);
    expect(failed).toMatchObject({ code: 'LEDGER_UNREACHABLE' });
    while (said.length < 2) await realClock.sleep(10, open);
    expect(said[1]).toBe('LEDGER_STORE_FAILED');
    await ledger[Symbol.asyncDispose]();
    await using served = await serveIn(folder);
    const again = await founded.connect(served.url);
    const all = await recorded(again);
    expect(confirmed.length).toBeGreaterThan(3);
    for (const [at, { transaction, block }] of confirmed.entries()) expect(all.get(named(`${at}`))).toEqual([{ transaction, block }]);
    await again[Symbol.asyncDispose]();
    await remove();
  });
});

describe('a served ledger', () => {
  const withFolder = async (work: (folder: string) => Promise<void>): Promise<void> => {
    const { folder, remove } = await freshFolder();
    try {
      await work(folder);
    } finally {
      await remove();
    }
  };

  /** A chain of some blocks in `folder`, closed again: with its snapshot, or only the log. */
  async function written(folder: string, keepSnapshot: boolean): Promise<{ hash: string; block: number; founded: Founded }> {
    const served = await serveIn(folder);
    const founded = await found(served.url);
    const ledger = await founded.connect(served.url);
    for (let at = 0; at < 10; at++) await ledger.submit(record(at), open);
    const end = await head(served.url);
    await ledger[Symbol.asyncDispose]();
    await served[Symbol.asyncDispose]();
    const snapshots = (await readdir(folder)).filter((name) => name.startsWith('snapshot-'));
    expect(snapshots).toEqual([`snapshot-${end.block}.json`]);
    if (!keepSnapshot) for (const name of snapshots) await writeFile(join(folder, name), '{');
    return { ...end, founded };
  }

  const log = (folder: string) => join(folder, 'blocks.log');

  it.each([true, false])('goes on where it was (snapshot fit for use: %s)', (keepSnapshot) =>
    withFolder(async (folder) => {
      const { hash, block, founded } = await written(folder, keepSnapshot);
      await using served = await serveIn(folder);
      expect(await head(served.url)).toEqual({ hash, block });
      const ledger = await founded.connect(served.url);
      expect((await recorded(ledger)).size).toBe(11);
      await ledger[Symbol.asyncDispose]();
    }),
  );

  it('is started again by replay when its engine is killed, under the same hashes', () =>
    withFolder(async (folder) => {
      await using served: ServedLedger = await serveIn(folder);
      const founded = await found(served.url);
      const ledger = await founded.connect(served.url);
      await ledger.submit(record(0), open);
      const before = await head(served.url);
      const pid = await served.enginePid();
      process.kill(pid, 'SIGKILL');
      while ((await served.enginePid()) === pid) await realClock.sleep(5, open);
      expect(await head(served.url)).toEqual(before);
      await ledger.submit(record(1), open);
      expect((await recorded(ledger)).size).toBe(3);
      await ledger[Symbol.asyncDispose]();
    }));

  it('cuts a torn last record, which nobody heard of', () =>
    withFolder(async (folder) => {
      const { hash, block } = await written(folder, false);
      const text = await readFile(log(folder), 'utf8');
      await appendFile(log(folder), `${block + 1} 17000000`);
      {
        await using served = await serveIn(folder);
        expect(await head(served.url)).toEqual({ hash, block });
      }
      expect(await readFile(log(folder), 'utf8')).toBe(text);
      await truncate(log(folder), text.length - 1);
      await using again = await serveIn(folder);
      expect(await head(again.url)).toEqual({ hash, block });
      expect(await readFile(log(folder), 'utf8')).toBe(text);
    }));

  it('stops at a damaged record in the middle', () =>
    withFolder(async (folder) => {
      await written(folder, false);
      const lines = (await readFile(log(folder), 'utf8')).split('\n');
      await writeFile(log(folder), [...lines.slice(0, 4), lines[4]?.replace(/^5 /, '6 '), ...lines.slice(5)].join('\n'));
      await expect(serveIn(folder)).rejects.toMatchObject({ code: 'LEDGER_STORE_DAMAGED', message: expect.stringContaining('block 5') });
      await writeFile(log(folder), [...lines.slice(0, 4), ...lines.slice(5)].join('\n'));
      await expect(serveIn(folder)).rejects.toMatchObject({ code: 'LEDGER_STORE_DAMAGED' });
    }));

  it('stops where the replay gives another block, and says which', () =>
    withFolder(async (folder) => {
      await written(folder, false);
      const lines = (await readFile(log(folder), 'utf8')).split('\n');
      const fifth = readRecord(lines[4] ?? '');
      if (fifth === undefined) throw new Error('five blocks');
      await writeFile(log(folder), [...lines.slice(0, 4), writeRecord({ ...fifth, timeS: fifth.timeS + 1 }).trimEnd(), ...lines.slice(5)].join('\n'));
      await expect(serveIn(folder)).rejects.toMatchObject({ code: 'LEDGER_REPLAY_DIFFERS', detail: { block: 5, stored: fifth.hash } });
      const unchanged = await readFile(log(folder), 'utf8');
      await expect(serveIn(folder)).rejects.toMatchObject({ code: 'LEDGER_REPLAY_DIFFERS' });
      expect(await readFile(log(folder), 'utf8')).toBe(unchanged);
    }));

  it('that goes away and comes back loses its readers no event and gives none twice', () =>
    withFolder(async (folder) => {
      let served = await serveIn(folder);
      const port = Number(new URL(served.url).port);
      const founded = await found(served.url);
      const ledger = await founded.connect(served.url);
      const stop = new AbortController();
      const seen: string[] = [];
      let cursor: LedgerCursor | undefined;
      const reading = (async () => {
        for await (const batch of ledger.batches(undefined, { signal: stop.signal })) {
          cursor = batch.cursor;
          for (const { fact } of batch.events) if (fact.kind === 'recorded') seen.push(fact.subject);
        }
      })();
      for (let at = 0; at < 9; at++) {
        await ledger.submit(record(at), open);
        if (at % 3 !== 2) continue;
        await served[Symbol.asyncDispose]();
        await expect(ledger.submit(record(100), open)).rejects.toMatchObject({ code: 'LEDGER_UNREACHABLE' });
        served = await serveIn(folder, realClock, port);
      }
      const last = await ledger.submit(record(9), open);
      while ((cursor?.block ?? 0) < last.block) await realClock.sleep(5, open);
      stop.abort();
      await reading;
      expect(seen).toEqual(Array.from({ length: 10 }, (_, at) => named(`${at}`)));
      await ledger[Symbol.asyncDispose]();
      await served[Symbol.asyncDispose]();
    }));
});
