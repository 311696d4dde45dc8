/**
 * Ten real peers and a study that names its groups: two cities, one of them with two hospital chains. A run with a member that no group names is refused by
 * its starter and by all others; then one model, which is the medians of the chains, and of the cities, of what members open to an auditor.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { stateFromBytes } from '../../src/aggregation/index.ts';
import { createAuditKey, type Peer, type RunView } from '../../src/peer/index.ts';
import { genesisOf } from '../../src/peer/run-start.ts';
import { runTerms } from '../../src/study/index.ts';
import { type PlainSlot, type PlainTree, plainMedian, plainMerge, plainSum } from '../simulation/plain-groups.ts';
import { done, schwarm } from '../support/consortium.ts';
import { wait } from '../support/demo.ts';
import { heartPeers } from '../support/peers.ts';

const minutes = 60_000;
const alps = ['zurich', 'site-5', 'site-6', 'a house that never came'];
const chains = [
  ['cleveland', 'budapest', 'site-7'],
  ['long-beach', 'site-8', 'site-9'],
];
const named = (toml: string): string => `${toml.replace(/^rounds = .*$/m, 'rounds = 2')}
[terms]
minMembers = 9
audit = true
rule = { kind = "coordinate-median", f = 0 }
[[terms.groups]]
name = "Alps"
members = ${JSON.stringify(alps)}
[[terms.groups]]
name = "Lakes"
groups = [{ name = "chain A", members = ${JSON.stringify(chains[0])} }, { name = "chain B", members = ${JSON.stringify(chains[1])} }]
`;

/** What a member opened of the last round: the members of its group, and its words in the form of the plan. */
interface Opening {
  readonly set: readonly number[];
  readonly words: string;
  readonly plan: { readonly segments: readonly { readonly length: number; readonly wordBits: number; readonly range: number; readonly scale: number }[] };
}

/** A run that one member is in against the study: nobody works in it, and all say why. */
async function refusedByAll(peers: readonly Peer[], first: Peer, text: string): Promise<void> {
  await expect(first.runs.start(text)).rejects.toMatchObject({ code: 'PEER_GROUPS_DO_NOT_FIT', detail: { unnamed: ['site-10'], shared: [] } });
  const { study } = await first.studies.show(text);
  const { ledger, consortium, signal } = first.context;
  const roster = consortium.approvers(study.id);
  const { hash: base, plan, version: protocol } = genesisOf(study, roster.length);
  await ledger.submit({ kind: 'startRun', study: study.id, roster, terms: { ...runTerms(study), protocol }, base, plan }, { signal });
  const troubles = (): (string | undefined)[] => peers.map((peer) => peer.context.consortium.runs.get(1) && peer.runs.status(peer.runs.find(1)).trouble);
  while (troubles().some((trouble) => trouble === undefined)) await wait(50);
  for (const trouble of troubles()) expect(trouble).toMatch(/do not fit the members that approved it: in no group: site-10/);
  await first.runs.stop(1);
}

/** The run as the first peer sees it at its end, with the states of its rounds. */
async function completed(first: Peer, run: number): Promise<{ readonly view: RunView; readonly states: ReadonlyMap<number, Uint8Array> }> {
  const states = new Map<number, Uint8Array>();
  for (;;) {
    const view = first.runs.find(run);
    for (const { round, state } of view.rounds) {
      const bytes = state && first.context.blobs.get(state);
      if (bytes) states.set(round, Buffer.from(bytes));
    }
    if (view.outcome !== undefined) return { view, states };
    await wait(20);
  }
}

/** Opens a member's part of round 2 and has it checked, without the study and with it. */
async function opened(peer: Peer, run: number, files: { readonly folder: string; readonly key: string; readonly facts: string }): Promise<Opening> {
  const { home } = peer.context;
  while (readdirSync(join(home, 'vault', 'keys')).length > 0) await wait(50);
  const out = join(files.folder, `${peer.context.account}.json`);
  await done(['audit', 'open', '--home', home, '--run', String(run), '--round', '2', '--key', files.key, '--out', out]);
  const check = ['audit', 'check', out, '--facts', files.facts];
  const alone = await schwarm(check);
  expect([alone.code, alone.err]).toEqual([5, expect.stringMatching(/names the groups of the run: give its folder with --study/)]);
  expect(await done([...check, '--study', join(home, '..', 'study')])).toMatchObject({ kind: 'fits' });
  return JSON.parse(readFileSync(out, 'utf8'));
}

function slotsOf({ plan }: Opening): readonly PlainSlot[] {
  let offsetBytes = 0;
  return plan.segments.map(({ length, wordBits, range, scale }) => {
    offsetBytes += (length * wordBits) / 8;
    return { offsetBytes: offsetBytes - (length * wordBits) / 8, length, wordBits, most: Math.floor(range * scale) };
  });
}

test('a run in groups that the study names merges them as they are nested, and each part opens in its own group', { timeout: 10 * minutes }, async () => {
  await using stack = new AsyncDisposableStack();
  const folder = mkdtempSync(join(tmpdir(), 'schwarm-named-'));
  stack.defer(() => rmSync(folder, { recursive: true, force: true }));
  const [key, facts] = [join(folder, 'offline.key'), join(folder, 'facts.json')];
  const publicKey = createAuditKey(key);
  const configure = (toml: string): string => `${toml}\n[audit]\npublicKey = "${publicKey}"\n`;
  const { peers, study } = await heartPeers(stack, undefined, { members: 10, edit: named, configure });
  const first = peers[0]!;
  await refusedByAll(peers, first, study);
  await peers[9]!.studies.decline(study);
  while (peers.some((peer) => peer.context.consortium.approvers(study).length !== 9)) await wait(50);

  const run = await first.runs.start(study);
  const { view, states } = await completed(first, run);
  while (peers.some((peer) => peer.context.consortium.runs.get(run)?.outcome !== 'complete')) await wait(50);
  const held = await Promise.all(peers.slice(0, 9).map(async (peer) => (await peer.runs.held(run)).model));
  expect(new Set(held).size).toBe(1);
  expect(first.runs.status(view).exposure.at(-1)).toContain('Lakes / chain A (cleveland, budapest, site-7)');

  await done(['audit', 'export', String(run), '--out', facts, '--home', first.context.home]);
  const openings = new Map<number, Opening>();
  for (const peer of peers.slice(0, 9)) openings.set(view.roster.indexOf(peer.context.account), await opened(peer, run, { folder, key, facts }));
  const indexes = (names: readonly string[]): readonly number[] =>
    view.roster.flatMap((account, member) => (names.includes(first.context.consortium.nameOf(account)) ? [member] : []));
  for (const names of [alps, ...chains]) for (const member of indexes(names)) expect(openings.get(member)?.set).toEqual(indexes(names));

  const { plan } = openings.get(0)!;
  const slots = slotsOf(openings.get(0)!);
  const weightCap = plan.segments[0]!.range;
  const tree: PlainTree = { below: [indexes(alps), { below: chains.map(indexes) }] };
  const wordsOf = (member: number): Uint8Array => Buffer.from(openings.get(member)!.words, 'base64');
  const sumOf = (members: readonly number[]): Uint8Array => plainSum(slots, members.map(wordsOf));
  const { bytes } = plainMerge(tree, sumOf, (parts) => plainMedian(slots, weightCap, parts));
  const rows = Number(Buffer.from(bytes).readBigInt64LE(0));
  const [before, after] = [stateFromBytes(states.get(1)!), stateFromBytes(states.get(2)!)];
  const last = slots.at(-1)!;
  expect(last.length).toBe(after!.parameters.length);
  for (const [at, value] of after!.parameters.entries()) {
    const merged = Buffer.from(bytes).readInt32LE(last.offsetBytes + 4 * at) / plan.segments.at(-1)!.scale;
    expect(value).toBe(Math.fround(before!.parameters[at]! + merged / (rows / weightCap)));
  }
  expect(after!.parameters).not.toEqual(before!.parameters);
});
