/** What a peer keeps on disk: whole or not at all, gone when it was erased, refused where another peer holds the home. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { createSecrets } from '../../src/aggregation/index.ts';
import { account, digestOf, isSwarmError, utf8 } from '../../src/common/index.ts';
import type { LedgerEvent } from '../../src/ledger/index.ts';
import { BlobStore, contentRoot } from '../../src/peer/store/blobs.ts';
import { writeWhole } from '../../src/peer/store/files.ts';
import { Journal } from '../../src/peer/store/journal.ts';
import { type RoundSecrets, Vault } from '../../src/peer/store/vault.ts';
import type { Input } from '../../src/round/index.ts';
import { groupContext, seededBytes } from '../support/custodians.ts';

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'schwarm-store-'));
  return () => rmSync(home, { recursive: true, force: true });
});

const codeOf = (work: () => unknown): string => {
  try {
    work();
    return 'done';
  } catch (error) {
    return isSwarmError(error) ? error.code : String(error);
  }
};

/** Every byte under the home folder, as one text of hexadecimal digits. */
function everything(folder = home): string {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name)).toString('hex'))
    .join();
}

const study = digestOf(utf8('study'));
const event = (block: number): LedgerEvent => ({
  id: `${block}:0`,
  block,
  timeS: 1_000 + block,
  transaction: `0x${block}`,
  scope: 'run',
  run: 1,
  fact: { kind: 'left', member: block },
});
const input = (timeS: number): Input => ({ kind: 'time', timeS });

describe('the journal', () => {
  it('keeps what was appended, in order, over a restart', () => {
    {
      using journal = new Journal(home);
      journal.append({ events: [event(1), event(2)], cursor: { block: 2, hash: '0x2' }, inputs: [{ run: 1, round: 0, input: input(5) }] });
      journal.append({ inputs: [3, 1, 2].map((timeS) => ({ run: 1, round: timeS === 1 ? 1 : 0, input: input(timeS) })) });
      journal.setNote('a', { b: [1] });
    }
    using journal = new Journal(home);
    expect(journal.events()).toEqual([event(1), event(2)]);
    expect(journal.cursor()).toEqual({ block: 2, hash: '0x2' });
    expect(journal.inputs({ run: 1, round: 0 })).toEqual([input(5), input(3), input(2)]);
    expect(journal.inputs({ run: 1, round: 1 })).toEqual([input(1)]);
    expect(journal.note('a')).toEqual({ b: [1] });
    expect(journal.note('c')).toBeUndefined();
  });

  it('stores an entry whole or not at all', () => {
    using journal = new Journal(home);
    journal.append({ events: [event(1)] });
    expect(
      codeOf(() => journal.append({ events: [event(2), event(1)], cursor: { block: 9, hash: '0x9' }, inputs: [{ run: 1, round: 0, input: input(1) }] })),
    ).toBe('PEER_STORE_FAILED');
    expect([journal.events(), journal.cursor(), journal.inputs({ run: 1, round: 0 })]).toEqual([[event(1)], undefined, []]);
    journal.append({ events: [event(2)] });
    expect(journal.events()).toEqual([event(1), event(2)]);
  });

  it('forgets one round and keeps the others, and remembers each release once', () => {
    using journal = new Journal(home);
    journal.append({ inputs: [0, 1].map((round) => ({ run: 1, round, input: input(round) })) });
    journal.forgetRound({ run: 1, round: 0 });
    expect([journal.inputs({ run: 1, round: 0 }), journal.inputs({ run: 1, round: 1 })]).toEqual([[], [input(1)]]);
    const accounts = ['1', '2', '3'].map((digit) => account(`0x${digit.repeat(40)}`));
    for (const members of [accounts, accounts.slice(1), accounts]) journal.addRelease(study, members);
    expect(journal.releases(study)).toEqual([accounts, accounts.slice(1)]);
    expect(journal.releases(groupContext)).toEqual([]);
    journal.dropReleases(study);
    expect(journal.releases(study)).toEqual([]);
  });

  it('is one peer’s: a second one on the same home is refused', () => {
    using _journal = new Journal(home);
    expect(codeOf(() => new Journal(home))).toBe('PEER_HOME_IN_USE');
  });

  it('says which notes begin alike, whatever signs are in them', () => {
    using journal = new Journal(home);
    for (const subject of ['figures/1/2', 'figures/1/1', 'figures/10/1', 'figures_1/1', 'figures/1%']) journal.setNote(subject, subject);
    expect(journal.notes('figures/1/').map(({ subject }) => subject)).toEqual(['figures/1/1', 'figures/1/2']);
  });
});

describe('the vault', () => {
  const key = { run: 1, round: 2 };
  const terms = { context: groupContext, self: 0, roster: [0, 1, 2], threshold: 3, attempts: 2 };
  const secrets = (): RoundSecrets => ({
    custodian: createSecrets(terms, seededBytes('vault')),
    masks: { 0: { root: study } },
    words: new Uint8Array([1, 2, 3]),
  });

  it('gives back what was stored, and shows none of it on the disk', () => {
    const stored = secrets();
    new Vault(home).save(key, stored, { erasing: false });
    const read = new Vault(home).load(key);
    expect(read).toEqual(stored);
    expect(new Vault(home).load({ run: 1, round: 3 })).toBeUndefined();
    const disk = everything();
    for (const secret of [stored.custodian.keys.x25519, stored.custodian.seeds[0], stored.custodian.seeds[1]])
      expect(disk).not.toContain(Buffer.from(secret ?? []).toString('hex'));
  });

  it('changes the key when something is erased, and the old key is gone', () => {
    const vault = new Vault(home);
    const stored = secrets();
    vault.save(key, stored, { erasing: false });
    const [before] = readdirSync(join(home, 'vault', 'keys'));
    const sealed = readFileSync(join(home, 'vault', 'sealed', '1-2'));
    delete stored.custodian.seeds[0];
    vault.save(key, stored, { erasing: true });
    expect(readdirSync(join(home, 'vault', 'keys'))).toHaveLength(1);
    expect(readdirSync(join(home, 'vault', 'keys'))).not.toContain(before);
    writeFileSync(join(home, 'vault', 'sealed', '1-2'), sealed);
    expect(new Vault(home).load(key)).toBeUndefined();
  });

  it('keeps nothing of a destroyed round', () => {
    const vault = new Vault(home);
    vault.save(key, secrets(), { erasing: false });
    vault.save({ run: 1, round: 3 }, secrets(), { erasing: false });
    vault.destroy(key);
    vault.destroy(key);
    expect(vault.load(key)).toBeUndefined();
    expect(vault.load({ run: 1, round: 3 })).toBeDefined();
    expect(readdirSync(join(home, 'vault', 'keys'))).toHaveLength(1);
  });

  it('keeps folders and files to their owner', () => {
    new Vault(home).save(key, secrets(), { erasing: false });
    const modes = ['vault', 'vault/keys', 'vault/sealed', 'vault/sealed/1-2'].map((path) => (statSync(join(home, path)).mode & 0o777).toString(8));
    expect(modes).toEqual(['700', '700', '700', '600']);
  });
});

describe('content', () => {
  it('is found by its root, and not where it was damaged', () => {
    const bytes = Uint8Array.from({ length: 200_000 }, (_, at) => at);
    const root = new BlobStore(home).put(bytes);
    expect(root).toBe(contentRoot(bytes));
    expect(new BlobStore(home).get(root)).toEqual(bytes);
    writeFileSync(join(home, 'blobs', root), bytes.fill(1, 0, 1));
    expect(new BlobStore(home).get(root)).toBeUndefined();
    new BlobStore(home).remove(root);
    expect(new BlobStore(home).count()).toBe(0);
    expect(new BlobStore(home).get(root)).toBeUndefined();
  });

  it('stays the old or becomes the new, and leaves nothing aside', () => {
    const path = join(home, 'file');
    writeWhole(path, new Uint8Array([1]), 'a test');
    writeWhole(path, new Uint8Array([2, 3]), 'a test');
    expect([...readFileSync(path)]).toEqual([2, 3]);
    expect(readdirSync(home)).toEqual(['file']);
    expect(codeOf(() => writeWhole(join(home, 'no such folder', 'file'), new Uint8Array(1), 'a test'))).toBe('PEER_STORE_FAILED');
  });
});
