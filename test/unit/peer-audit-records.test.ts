/** Records for an auditor: sealed to an offline key, written before the secrets go, found whole after a crash at any place. */
import { mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { hybridKeys, type SumPlan } from '../../src/aggregation/index.ts';
import { account, digestOf, fromHex, type StudyId, silentLogger, toHex, utf8 } from '../../src/common/index.ts';
import { createAuditKey } from '../../src/peer/audit.ts';
import { createInlineBulk } from '../../src/peer/bulk/inline.ts';
import { configText, readConfig } from '../../src/peer/config.ts';
import { Consortium } from '../../src/peer/consortium.ts';
import type { PeerContext } from '../../src/peer/context.ts';
import { Custody } from '../../src/peer/custody.ts';
import { removeOrphans } from '../../src/peer/orphans.ts';
import { type AuditRecord, recordName, sealRecord, unsealRecord } from '../../src/peer/store/audit-records.ts';
import { BlobStore } from '../../src/peer/store/blobs.ts';
import { Journal } from '../../src/peer/store/journal.ts';
import { Vault } from '../../src/peer/store/vault.ts';
import { readWords, WordStore } from '../../src/peer/store/words.ts';
import type { RoundFact, RunTerms } from '../../src/wire/index.ts';
import { groupContext, seededBytes } from '../support/custodians.ts';

const { signal } = new AbortController();
const round = { run: 3, round: 7 };
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'schwarm-records-'));
  return () => rmSync(folder, { recursive: true, force: true });
});

const privateKey = seededBytes('offline')(32);
const publicKey = hybridKeys.x25519Public(privateKey);
const plan: SumPlan = { purpose: 'update', ordinal: 1, segments: [{ name: 'update', length: 50, wordBits: 32, range: 1, scale: 1024 }] };
const words = seededBytes('words')(200);
const set = [0, 1, 2];

interface Site {
  readonly home: string;
  readonly custody: Custody;
}

/** A member's custody on the disk of `home`: as after a start, also after a crash. */
function start(home: string): Site {
  const vault = new Vault(home);
  const blobs = new BlobStore(home);
  return { home, custody: new Custody(round, vault, blobs, createInlineBulk({ blobs, words: new WordStore(home) })) };
}

/** Three members that have masked their vectors of attempt 0; the first one's, under an audit window or not. */
async function masked({ auditKey }: { readonly auditKey?: Uint8Array } = {}): Promise<Site> {
  const sites = set.map((member) => start(mkdtempSync(join(folder, `${member}-`))));
  const terms = { context: groupContext, roster: set, threshold: 3, attempts: 2, generations: 0 };
  for (const [self, { custody }] of sites.entries()) custody.makeBundle({ ...terms, self });
  const pairs = set.flatMap((from) => set.flatMap((to) => (from === to ? [] : [{ from, to }])));
  for (const kind of ['bundle', 'shares'] as const)
    for (const { from, to } of pairs) {
      const body = sites[from]!.custody.answer(to, { kind });
      if (body?.kind === 'bundle') sites[to]!.custody.acceptBundle(from, body);
      if (body?.kind === 'shares') sites[to]!.custody.acceptShares(from, body);
    }
  const [own] = sites;
  await own!.custody.setWords(async ({ round: of, key }) => new WordStore(own!.home).put({ round: of, key: new Uint8Array(key) }, words), { open: false });
  expect(await own!.custody.mask(plan, 0, { set, open: false }, { signal, auditKey })).toBeDefined();
  return own!;
}

const under = (home: string, ...parts: readonly string[]): readonly string[] => {
  try {
    return readdirSync(join(home, ...parts)).sort();
  } catch {
    return [];
  }
};

const recordOf = (home: string): AuditRecord | undefined =>
  unsealRecord(privateKey, round, new Uint8Array(readFileSync(join(home, 'audit', recordName(round)))));

function expectWhole(home: string): void {
  const record = recordOf(home);
  expect(record?.opening).toMatchObject({ member: 0, attempt: 0, set, plan });
  expect(readWords(join(home, 'audit'), { round, key: record!.wordsKey })).toEqual(words);
  expect([under(home, 'vault', 'sealed'), under(home, 'vault', 'keys')]).toEqual([[], []]);
  expect(under(home, 'audit')).toEqual(['3-7.sealed', '3-7.words']);
}

describe('a record of a round', () => {
  it('is there with its words once the secrets are gone, readable for its owner alone', async () => {
    const { home, custody } = await masked({ auditKey: publicKey });
    custody.keepOpening(0);
    custody.erase(2);
    expectWhole(home);
    for (const name of under(home, 'audit')) expect(statSync(join(home, 'audit', name)).mode & 0o777).toBe(0o600);
    expect(statSync(join(home, 'audit')).mode & 0o777).toBe(0o700);
  });

  it('is not made where the study has no audit window, or of another attempt', async () => {
    const plainly = await masked();
    plainly.custody.keepOpening(0);
    plainly.custody.erase(2);
    expect(under(plainly.home, 'audit')).toEqual([]);
    const other = await masked({ auditKey: publicKey });
    other.custody.keepOpening(1);
    other.custody.erase(2);
    expect(under(other.home, 'audit')).toEqual([]);
    expect(under(other.home, 'vault', 'sealed')).toEqual([]);
  });

  it('is whole after a crash before it, after it, and between it and its words; the first one stays', async () => {
    const { home } = await masked({ auditKey: publicKey });
    start(home).custody.keepOpening(0);
    const first = toHex(readFileSync(join(home, 'audit', recordName(round))));
    renameSync(join(home, 'audit', '3-7.words'), join(home, 'vault', 'sealed', '3-7.words'));
    const last = start(home);
    last.custody.keepOpening(0);
    last.custody.keepOpening(0);
    last.custody.erase(2);
    last.custody.keepOpening(0);
    expect(toHex(readFileSync(join(home, 'audit', recordName(round))))).toBe(first);
    expectWhole(home);
  });
});

/** The ledger's picture of a run whose round 7 is as given, with two newer rounds. */
function pictureOf(facts: readonly RoundFact[]): Consortium {
  const hash = digestOf(utf8('hash'));
  const consortium = new Consortium(1);
  const opened: RoundFact = { kind: 'opened', base: hash, plan: hash, roster: set, sinceS: 0, deadlineS: 9 };
  const place = { id: '', block: 1, timeS: 1, transaction: '' };
  const terms = {} as RunTerms;
  const fact = {
    kind: 'runStarted',
    study: hash as unknown as StudyId,
    starter: account(`0x${'1'.repeat(40)}`),
    roster: [],
    terms,
    base: hash,
    plan: hash,
  } as const;
  consortium.apply({ ...place, scope: 'run', run: 3, fact });
  const rounds: readonly (readonly [number, RoundFact])[] = [...[opened, ...facts].map((one) => [7, one] as const), [8, opened], [9, opened]];
  for (const [number, one] of rounds) consortium.apply({ ...place, scope: 'round', run: 3, round: number, fact: one });
  return consortium;
}

describe('a round that an interrupted step left behind', () => {
  const hash = digestOf(utf8('hash'));
  const attempted: RoundFact = { kind: 'attemptOpened', attempt: 0, set, sinceS: 0, deadlineS: 9 };
  const final: RoundFact = { kind: 'final', attempt: 0, set, state: hash, model: hash, nextPlan: hash };
  const clean = async (facts: readonly RoundFact[]): Promise<string> => {
    const { home } = await masked({ auditKey: publicKey });
    const blobs = new BlobStore(home);
    using journal = new Journal(home);
    const bulk = createInlineBulk({ blobs, words: new WordStore(home) });
    removeOrphans({ vault: new Vault(home), journal, blobs, bulk, consortium: pictureOf(facts), logger: silentLogger } as unknown as PeerContext);
    return home;
  };

  it('leaves its record where it is FINAL, and nothing where it is VOID', async () => {
    expectWhole(await clean([attempted, final]));
    const home = await clean([attempted, { kind: 'void', attempt: 0, reason: 'no-agreement' }]);
    expect([under(home, 'audit'), under(home, 'vault', 'sealed'), under(home, 'vault', 'keys')]).toEqual([[], [], []]);
  });
});

const recordLike = (): AuditRecord['opening'] => ({
  plan,
  member: 0,
  attempt: 0,
  set,
  keys: { x25519: seededBytes(1)(32), kemSeed: seededBytes(2)(64) },
  seed: seededBytes(3)(32),
  bundles: {},
  ciphertexts: {},
});

describe('the seal', () => {
  const record: AuditRecord = { opening: recordLike(), wordsKey: seededBytes(4)(32) };

  it('opens with the private half, in its own round, and in no other way', () => {
    const sealed = sealRecord(publicKey, round, record);
    expect(unsealRecord(privateKey, round, sealed)).toEqual(record);
    expect(unsealRecord(seededBytes('other')(32), round, sealed)).toBeUndefined();
    expect(unsealRecord(publicKey, round, sealed)).toBeUndefined();
    expect(unsealRecord(privateKey, { run: 3, round: 8 }, sealed)).toBeUndefined();
    expect(unsealRecord(privateKey, round, sealed.subarray(0, 40))).toBeUndefined();
    for (let at = 0; at < sealed.length; at += 7) {
      const changed = sealed.slice();
      changed[at]! ^= 1;
      expect(unsealRecord(privateKey, round, changed), String(at)).toBeUndefined();
    }
  });

  it('is another one each time, with no byte of the record in plain', () => {
    const [first, second] = [sealRecord(publicKey, round, record), sealRecord(publicKey, round, record)];
    expect(toHex(first)).not.toBe(toHex(second));
    for (const secret of [record.wordsKey, record.opening.seed, record.opening.keys.x25519]) expect(toHex(first)).not.toContain(toHex(secret.subarray(0, 8)));
  });
});

describe('the offline key', () => {
  it('is a file for its owner alone, made once, whose public half fits config.toml', () => {
    const file = join(folder, 'offline.key');
    const made = createAuditKey(file);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(toHex(hybridKeys.x25519Public(fromHex(readFileSync(file, 'utf8').trim())!))).toBe(made);
    expect(() => createAuditKey(file)).toThrow(/never overwritten/);
    const config = (text: string) => writeFileSync(join(folder, 'config.toml'), `${configText({ name: 'a' }, '')}\n[audit]\npublicKey = "${text}"\n`);
    config(made);
    expect(toHex(readConfig(folder).audit!.publicKey)).toBe(made);
    for (const bad of ['', 'zz', made.slice(2), '00'.repeat(32), `01${'00'.repeat(31)}`]) {
      config(bad);
      expect(() => readConfig(folder)).toThrow(/audit.publicKey: the 64 hexadecimal digits/);
    }
  });
});
