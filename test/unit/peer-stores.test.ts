/** What a peer keeps on disk: whole or not at all, gone when it was erased, refused where another peer holds the home. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { createSecrets } from '../../src/aggregation/index.ts';
import { account, chunkSizeBytes, digestOf, leavesOf, utf8 } from '../../src/common/index.ts';
import type { LedgerEvent } from '../../src/ledger/index.ts';
import { BlobStore, contentRoot } from '../../src/peer/store/blobs.ts';
import { writeWhole } from '../../src/peer/store/files.ts';
import { Journal } from '../../src/peer/store/journal.ts';
import { type RoundSecrets, Vault } from '../../src/peer/store/vault.ts';
import type { Input } from '../../src/round/index.ts';
import { codeOf } from '../support/codes.ts';
import { groupContext, seededBytes } from '../support/custodians.ts';
import { freshContent } from '../support/network.ts';

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'schwarm-store-'));
  return () => rmSync(home, { recursive: true, force: true });
});

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
    journal.addRelease(groupContext, accounts);
    expect(journal.notes('list/')).toHaveLength(2);
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
  const terms = { context: groupContext, self: 0, roster: [0, 1, 2], threshold: 3, generations: 0, attempts: 2 };
  const secrets = (): RoundSecrets => ({
    custodian: createSecrets(terms, seededBytes('vault')),
    masks: { 0: { root: study } },
    wordsKey: new Uint8Array([1, 2, 3]),
  });

  it('is marked as nothing that a backup should hold', () => {
    new Vault(home);
    expect(readFileSync(join(home, 'vault', 'CACHEDIR.TAG'), 'utf8')).toMatch(/^Signature: 8a477f597d28d172789f06886806bc55\n/);
  });

  it('gives back what was stored, and shows none of it on the disk', () => {
    const stored = secrets();
    new Vault(home).save(key, stored, { erasing: false });
    const read = new Vault(home).load(key);
    expect(read).toEqual(stored);
    expect(new Vault(home).load({ run: 1, round: 3 })).toBeUndefined();
    const disk = everything();
    for (const secret of [stored.custodian!.keys.x25519, stored.custodian!.seeds[0], stored.custodian!.seeds[1]])
      expect(disk).not.toContain(Buffer.from(secret ?? []).toString('hex'));
  });

  it('keeps no key that outlived its secrets, and no half file, after a crash between two steps', () => {
    const stored = secrets();
    new Vault(home).save(key, stored, { erasing: false });
    const old = readdirSync(join(home, 'vault', 'keys'))[0] ?? '';
    const bytes = readFileSync(join(home, 'vault', 'keys', old));
    new Vault(home).save(key, stored, { erasing: true });
    writeFileSync(join(home, 'vault', 'keys', old), bytes);
    writeFileSync(join(home, 'vault', 'keys', 'a.new'), bytes);
    writeFileSync(join(home, 'vault', 'sealed', '1-2.new'), bytes);
    const vault = new Vault(home);
    expect(vault.load(key)).toEqual(stored);
    expect(vault.rounds()).toEqual([key]);
    expect(readdirSync(join(home, 'vault', 'keys'))).toEqual([stored.keyName]);
    expect(readdirSync(join(home, 'vault', 'sealed'))).toEqual(['1-2']);
  });

  it.for(['overwritten', 'removed'])('holds a round for destroyed whose key was %s when a crash came', (step) => {
    new Vault(home).save(key, secrets(), { erasing: false });
    new Vault(home).save({ run: 1, round: 3 }, secrets(), { erasing: false });
    const sealed = readFileSync(join(home, 'vault', 'sealed', '1-2'));
    const file = join(home, 'vault', 'keys', sealed.subarray(0, 16).toString('hex'));
    if (step === 'removed') rmSync(file);
    else writeFileSync(file, new Uint8Array(32));
    const vault = new Vault(home);
    expect(vault.load(key)).toBeUndefined();
    expect(vault.rounds()).toEqual([{ run: 1, round: 3 }]);
    expect(vault.load({ run: 1, round: 3 })).toBeDefined();
    expect(readdirSync(join(home, 'vault', 'keys'))).toHaveLength(1);
  });

  it('seals nothing under a key that has vanished', () => {
    const vault = new Vault(home);
    const stored = secrets();
    vault.save(key, stored, { erasing: false });
    rmSync(join(home, 'vault', 'keys', stored.keyName ?? ''));
    expect(codeOf(() => vault.save(key, stored, { erasing: false }))).toBe('PEER_STORE_FAILED');
    expect(vault.load(key)).toBeUndefined();
  });

  it('says which folder is damaged where secrets do not open under their key', () => {
    new Vault(home).save(key, secrets(), { erasing: false });
    const file = join(home, 'vault', 'sealed', '1-2');
    writeFileSync(file, readFileSync(file).fill(7, 40, 41));
    expect(codeOf(() => new Vault(home).load(key))).toBe('PEER_STORE_FAILED');
  });

  it('changes the key when something is erased, and the old key is gone', () => {
    const vault = new Vault(home);
    const stored = secrets();
    vault.save(key, stored, { erasing: false });
    const [before] = readdirSync(join(home, 'vault', 'keys'));
    const sealed = readFileSync(join(home, 'vault', 'sealed', '1-2'));
    delete stored.custodian!.seeds[0];
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
  it('is removed where nothing names it, with halves of interrupted writes', () => {
    const store = new BlobStore(home);
    const [kept, other] = [store.put(Uint8Array.of(1)), store.put(Uint8Array.of(2))];
    writeFileSync(join(home, 'blobs', `${kept}.new`), 'half');
    expect(new BlobStore(home).keepOnly(new Set([kept, undefined]))).toBeGreaterThan(1);
    expect(readdirSync(join(home, 'blobs'))).toEqual([kept]);
    expect(new BlobStore(home).get(other)).toBeUndefined();
  });

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

  it('is read by pieces, each checked the first time, and a damaged piece is missing while the others are there', () => {
    const { bytes, root } = freshContent(5);
    new BlobStore(home).put(bytes);
    const store = new BlobStore(home);
    for (const [offset, size] of [
      [0, 10],
      [chunkSizeBytes - 3, 6],
      [70_000, 200_000],
      [bytes.length - 100, 100],
      [5, 0],
    ] as const)
      expect(store.read(root, offset, size)).toEqual(bytes.slice(offset, offset + size));
    for (const [offset, size] of [
      [-1, 4],
      [0, bytes.length + 1],
      [bytes.length, 1],
    ] as const)
      expect(store.read(root, offset, size)).toBeUndefined();
    writeFileSync(join(home, 'blobs', root), bytes.with(2 * chunkSizeBytes + 9, (bytes[2 * chunkSizeBytes + 9] ?? 0) ^ 1));
    const again = new BlobStore(home);
    expect(again.read(root, 2 * chunkSizeBytes, 4)).toBeUndefined();
    expect(again.read(root, 0, 4)).toEqual(bytes.slice(0, 4));
    expect(again.reader(root)?.chunk(2)).toBeUndefined();
    expect(again.reader(root)?.chunk(5)).toEqual(bytes.slice(5 * chunkSizeBytes));
    expect(again.reader(root)?.chunk(6)).toBeUndefined();
    expect(again.get(root)).toBeUndefined();
    expect(again.reader(root)?.leaves()).toEqual(new Uint8Array(Buffer.concat(leavesOf(bytes))));
    rmSync(join(home, 'leaves', root));
    expect(new BlobStore(home).reader(root), 'without its list a damaged file is no content').toBeUndefined();
    writeFileSync(join(home, 'blobs', root), bytes);
    expect(new BlobStore(home).read(root, 1, 3), 'and a good one is').toEqual(bytes.slice(1, 4));
  });

  it('that is fetched keeps what was written over a restart, checks it again, and is served to others by the chunk', async () => {
    const content = freshContent(5);
    const { bytes, root } = content;
    const leaves = new Uint8Array(Buffer.concat(leavesOf(bytes)));
    const chunk = (index: number): Uint8Array => bytes.slice(index * chunkSizeBytes, (index + 1) * chunkSizeBytes);
    const first = new BlobStore(home).partial(content);
    expect(first.leaves).toBeUndefined();
    first.begin(leaves);
    for (const index of [1, 3, 5]) first.write(index, chunk(index));
    writeFileSync(join(home, 'partial', root), readFileSync(join(home, 'partial', root)).fill(7, 3 * chunkSizeBytes, 3 * chunkSizeBytes + 1));
    const store = new BlobStore(home);
    const second = store.partial(content);
    expect(second.leaves).toEqual(leaves);
    expect([0, 1, 2, 3, 4, 5].filter((index) => second.has(index))).toEqual([1, 5]);
    expect([store.get(root), store.size(root)]).toEqual([undefined, undefined]);
    expect([1, 2].map((index) => store.reader(root)?.chunk(index)?.length)).toEqual([chunkSizeBytes, undefined]);
    for (const index of [0, 2, 3, 4]) second.write(index, chunk(index));
    expect(await second.complete()).toBe(true);
    expect(await second.complete()).toBe(true);
    expect(new BlobStore(home).get(root)).toEqual(bytes);
    expect([readdirSync(join(home, 'partial')), readdirSync(join(home, 'blobs'))]).toEqual([[], [root]]);
  });

  it('that two fetches complete at the same time is found by both', async () => {
    for (let time = 0; time < 20; time++) {
      const content = freshContent(2);
      const partial = new BlobStore(home).partial(content);
      partial.begin(new Uint8Array(Buffer.concat(leavesOf(content.bytes))));
      for (const index of [0, 1, 2]) partial.write(index, content.bytes.slice(index * chunkSizeBytes, (index + 1) * chunkSizeBytes));
      expect(await Promise.all(Array.from({ length: 6 }, () => partial.complete()))).toEqual(Array.from({ length: 6 }, () => true));
    }
  });

  it('that is fetched begins anew where its list or its size is another one', () => {
    const content = freshContent(2);
    const leaves = new Uint8Array(Buffer.concat(leavesOf(content.bytes)));
    new BlobStore(home).partial(content).begin(leaves);
    expect(new BlobStore(home).partial({ ...content, sizeBytes: content.sizeBytes + 1 }).leaves).toBeUndefined();
    writeFileSync(join(home, 'leaves', content.root), leaves.with(0, (leaves[0] ?? 0) ^ 1));
    expect(new BlobStore(home).partial(content).leaves).toBeUndefined();
  });

  it('that is removed while it is fetched leaves nothing behind, whatever still arrives', async () => {
    const content = freshContent(2);
    const store = new BlobStore(home);
    const partial = store.partial(content);
    partial.begin(new Uint8Array(Buffer.concat(leavesOf(content.bytes))));
    partial.write(0, content.bytes.slice(0, chunkSizeBytes));
    store.remove(content.root);
    partial.write(1, content.bytes.slice(chunkSizeBytes, 2 * chunkSizeBytes));
    expect(await partial.complete()).toBe(false);
    expect(['blobs', 'partial', 'leaves'].flatMap((folder) => readdirSync(join(home, folder)))).toEqual([]);
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
