/** A run with an audit window on real peers: every member opens its part by command, an auditor checks it, and the parts are what the swarm summed. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { stateFromBytes } from '../../src/aggregation/index.ts';
import { createAuditKey, type Peer, type RunView } from '../../src/peer/index.ts';
import { done, schwarm } from '../support/consortium.ts';
import { wait } from '../support/demo.ts';
import { heartPeers } from '../support/peers.ts';

const minutes = 60_000;
const folder = mkdtempSync(join(tmpdir(), 'schwarm-audit-'));
const file = (name: string): string => join(folder, name);
const keyFile = (peer: number): string => file(`offline-${peer}.key`);
const rounds = 4;
const stack = new AsyncDisposableStack();
const states = new Map<number, Buffer>();
let peers: readonly Peer[];
let view: RunView;

/** One update with its weight, as an auditor sees it. */
interface Checked {
  readonly kind: 'fits' | 'differs';
  readonly who: string;
  readonly reason?: string;
  readonly submitted: {
    readonly purpose: string;
    readonly rows: number;
    readonly norm?: number;
    readonly clipNorm?: number;
    readonly breaches: readonly string[];
  };
}

const homeOf = (peer: number): string => peers[peer]?.context.home ?? '';

beforeAll(async () => {
  const publicKeys = [0, 1, 2, 3].map((peer) => createAuditKey(keyFile(peer)));
  const edit = (toml: string): string => `${toml.replace(/^rounds = .*$/m, `rounds = ${rounds - 1}`)}\n[terms]\naudit = true\nexchange = "reduce-scatter"\n`;
  const made = await heartPeers(stack, undefined, { edit, configure: (toml, peer) => `${toml}\n[audit]\npublicKey = "${publicKeys[peer]}"\n` });
  peers = made.peers;
  const run = await peers[0]!.runs.start(made.study);
  for (;;) {
    view = peers[0]!.runs.find(run);
    for (const { round, state } of view.rounds) {
      const bytes = state && peers[0]!.context.blobs.get(state);
      if (bytes) states.set(round, Buffer.from(bytes));
    }
    if (view.outcome !== undefined) break;
    await wait(20);
  }
  while (peers.some((_, peer) => readdirSync(join(homeOf(peer), 'vault', 'keys')).length > 0)) await wait(50);
  await done(['audit', 'export', String(run), '--out', file('facts.json'), '--home', homeOf(0)]);
}, 4 * minutes);

afterAll(async () => {
  await stack[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

const openingFile = (peer: number, round: number): string => file(`opening-${peer}-${round}.json`);

async function opened(peer: number, round: number): Promise<string> {
  const out = openingFile(peer, round);
  if (!existsSync(out)) await done(['audit', 'open', '--home', homeOf(peer), '--run', '1', '--round', String(round), '--key', keyFile(peer), '--out', out]);
  return out;
}

describe('a run with an audit window', () => {
  test('each opening fits the ledger, and the openings of a round sum up to what the swarm made of it', { timeout: 4 * minutes }, async () => {
    expect(view.outcome).toBe('complete');
    const round = 2;
    const updates = await Promise.all(
      peers.map(async (_, peer) => {
        const out = file(`update-${peer}.f32`);
        const checked = await done<Checked>(['audit', 'check', await opened(peer, round), '--facts', file('facts.json'), '--update', out]);
        const bytes = readFileSync(out);
        return { ...checked, update: new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4) };
      }),
    );
    expect(updates.map(({ who }) => who)).toEqual(['cleveland', 'budapest', 'zurich', 'long-beach']);
    for (const { kind, submitted } of updates) {
      expect(kind).toBe('fits');
      expect(submitted).toMatchObject({ purpose: 'update', breaches: [] });
      expect(submitted.norm).toBeLessThanOrEqual((submitted.clipNorm ?? 0) * 1.001);
      expect(submitted.norm).toBeGreaterThan(0);
    }
    const [before, after] = [stateFromBytes(states.get(round - 1)!), stateFromBytes(states.get(round)!)];
    const rows = updates.reduce((sum, { submitted }) => sum + submitted.rows, 0);
    expect(peers[0]!.runs.status(view).figures.find((figures) => figures.round === round)?.rows).toBe(rows);
    const openings = await Promise.all(peers.map(async (_, peer) => JSON.parse(readFileSync(await opened(peer, round), 'utf8'))));
    const segment = openings[0].plan.segments.at(-1);
    const weightCap = openings[0].plan.segments[0].range;
    for (const [at, value] of after!.parameters.entries()) {
      const sum = openings.reduce((total, { words }) => total + Buffer.from(words, 'base64').readInt32LE(24 + 4 * at), 0);
      expect(value).toBe(Math.fround(before!.parameters[at]! + sum / segment.scale / (rows / weightCap)));
      const mean = updates.reduce((total, { update, submitted }) => total + update[at]! * submitted.rows, 0) / rows;
      expect(Math.abs(value - (before!.parameters[at]! + mean))).toBeLessThan(1e-6);
    }
    expect(after!.parameters).not.toEqual(before!.parameters);
  });

  test('the statistics round opens too, and rows are those of the member', { timeout: minutes }, async () => {
    const checked = await done<Checked>(['audit', 'check', await opened(3, 0), '--facts', file('facts.json')]);
    const update = await done<Checked>(['audit', 'check', await opened(3, 1), '--facts', file('facts.json')]);
    expect(checked).toMatchObject({ kind: 'fits', who: 'long-beach', submitted: { purpose: 'statistics', breaches: [] } });
    expect(update.submitted.rows).toBe(checked.submitted.rows);
  });

  test('the check works on the ledger itself with the access of any member', { timeout: minutes }, async () => {
    const { code, out } = await schwarm(['audit', 'check', await opened(1, 2), '--home', homeOf(3)]);
    expect(out).toMatch(/^budapest · run 1 · round 2 · attempt 0 of .*\nfits {8}/);
    expect(out).toMatch(/rows {8}\d+\nsaturated {3}0 values/);
    expect(code).toBe(0);
  });

  test('anything changed ends with exit code 1 and says what differs', { timeout: 2 * minutes }, async () => {
    const opening = JSON.parse(readFileSync(await opened(0, 2), 'utf8'));
    const facts = JSON.parse(readFileSync(file('facts.json'), 'utf8'));
    const words = Buffer.from(opening.words, 'base64');
    words[50]! ^= 1;
    const otherRoot = facts.events.map((event: { round?: number; fact: { kind: string; root?: string } }) =>
      event.fact.kind === 'committed' ? { ...event, fact: { ...event.fact, root: 'ab'.repeat(32) } } : event,
    );
    const cases = [
      [{ ...opening, words: words.toString('base64') }, facts, 'its words under its masks are not the vector that the member committed to'],
      [{ ...opening, round: 1 }, facts, 'the sum plan is not the one'],
      [{ ...opening, round: 77 }, facts, 'the ledger has no FINAL of round 77 in run 1'],
      [{ ...opening, member: (opening.member + 1) % 4 }, facts, 'its private keys are not those of the bundle'],
      [opening, { ...facts, run: 2 }, 'the facts are of another run'],
      [opening, { ...facts, events: otherRoot }, 'its words under its masks'],
    ] as const;
    for (const [given, against, reason] of cases) {
      writeFileSync(file('changed.json'), JSON.stringify(given));
      writeFileSync(file('changed-facts.json'), JSON.stringify(against));
      const { code, out } = await schwarm(['audit', 'check', file('changed.json'), '--facts', file('changed-facts.json')]);
      expect(out).toContain(`DIFFERS     ${reason}`);
      expect(code).toBe(1);
    }
  });

  test('files that are none, another key and another round are refused in a sentence', { timeout: 2 * minutes }, async () => {
    writeFileSync(file('none.json'), '{"format":"schwarm.opening/1"}');
    const open = (round: string, key: string) =>
      schwarm(['audit', 'open', '--home', homeOf(0), '--run', '1', '--round', round, '--key', key, '--out', file('x.json')]);
    const cases = [
      [schwarm(['audit', 'check', file('none.json'), '--facts', file('facts.json')]), 'PEER_AUDIT_FILE', 5],
      [schwarm(['audit', 'check', file('absent.json'), '--facts', file('facts.json')]), 'it does not exist', 5],
      [open('2', keyFile(1)), 'it does not hold the key to which this record was sealed', 5],
      [open('99', keyFile(0)), 'there is no sealed record "1-99"; known: 1-0, 1-1, 1-2, 1-3', 5],
      [open('x', keyFile(0)), '--round is a whole number', 2],
      [schwarm(['audit', 'key', '--out', keyFile(0)]), 'a key is never overwritten', 5],
    ] as const;
    for (const [ended, words, exit] of cases) {
      const { code, err } = await ended;
      expect(err).toContain(words);
      expect(code).toBe(exit);
    }
  });

  test('nothing else of the rounds is left in a home: no key, no words outside the records, and the records hold none in plain', async () => {
    const text = readFileSync(await opened(0, 2), 'utf8');
    const { keys, seed, words } = JSON.parse(text);
    const secrets = [keys.x25519, keys.kemSeed, seed, words].map((base64: string) => Buffer.from(base64, 'base64'));
    const home = homeOf(0);
    expect(readdirSync(join(home, 'vault', 'sealed'))).toEqual([]);
    expect(readdirSync(join(home, 'audit')).sort()).toEqual([0, 1, 2, 3].flatMap((round) => [`1-${round}.sealed`, `1-${round}.words`]));
    const files = readdirSync(home, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    expect(files.length).toBeGreaterThan(15);
    for (const entry of files) {
      const bytes = readFileSync(join(entry.parentPath, entry.name));
      for (const secret of secrets) expect(bytes.includes(secret.subarray(0, 32)), entry.name).toBe(false);
    }
  });
});

test('a site without an offline key refuses to approve, and is told what to do', { timeout: 2 * minutes }, async () => {
  await using own = new AsyncDisposableStack();
  const audited = (toml: string): string => `${toml}\n[terms]\naudit = true\n`;
  await expect(heartPeers(own, undefined, { edit: audited })).rejects.toMatchObject({
    code: 'PEER_NO_AUDIT_KEY',
    remedy: expect.stringContaining('schwarm audit key --out FILE'),
  });
});
