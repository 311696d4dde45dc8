/** Attacks by messages and by what the ledger seems to say: one malicious peer with valid keys among three honest ones, over real libp2p. */
import { afterAll, beforeAll, expect } from 'vitest';
import { stateBytes, stateDigest } from '../../src/aggregation/index.ts';
import { type Digest, digest } from '../../src/common/index.ts';
import type { LedgerEvent } from '../../src/ledger/index.ts';
import { checkModel } from '../../src/peer/studies.ts';
import { TrainingQuestion } from '../../src/peer/training-question.ts';
import { runTerms } from '../../src/study/index.ts';
import { decodeMessage, encodeMessage, protocolVersions, type RoundFact } from '../../src/wire/index.ts';
import { wait } from '../support/demo.ts';
import { readTrainingStudy } from '../support/studies.ts';
import { Swarm } from '../support/swarm.ts';
import { attack } from './attack.ts';

const stack = new AsyncDisposableStack();
const signal = new AbortController().signal;
/** The version that runs among these peers are spoken in: a message in another one would be dropped unread. */
const version = Math.max(...protocolVersions);
let swarm: Swarm;

beforeAll(async () => {
  swarm = await Swarm.start(stack, { rounds: 5 });
}, 120_000);
afterAll(() => stack.disposeAsync());

/** Changes one kind of round fact on its way to a peer. */
function forged<Kind extends RoundFact['kind']>(kind: Kind, change: (fact: Extract<RoundFact, { kind: Kind }>, round: number) => RoundFact) {
  return (event: LedgerEvent): LedgerEvent =>
    event.scope === 'round' && event.fact.kind === kind ? { ...event, fact: change(event.fact as Extract<RoundFact, { kind: Kind }>, event.round) } : event;
}

/** Contexts of a run's rounds in the order in which a peer asked for bundles in them. */
function contexts(at: number): readonly Digest[] {
  return [...new Set([...swarm.edge(at).sent, ...swarm.edge(at).heard].map(({ message }) => message.context))];
}

/** Seeds and shares of seeds that peer `at` let go, as `round context/attempt`. */
function released(at: number): readonly string[] {
  return swarm
    .edge(at)
    .sent.flatMap(({ message: { context, body } }) => (body.kind === 'seed' || body.kind === 'seedShare' ? [`${context}/${body.attempt}`] : []));
}

attack(1, 'model inconsistency: one member is fed another model', 'refused', async () => {
  const victim = swarm.edge(2);
  const genesis = checkModel(await readTrainingStudy(swarm.folder, { signal })).genesis;
  const crafted = stateBytes({
    ordinal: 1,
    parameters: genesis.map((value) => value + 7),
    standardisation: { rows: 3, mean: new Float64Array(2), sd: new Float64Array(2).fill(1) },
  });
  const hash = stateDigest(crafted);
  swarm.peer(3).context.blobs.put(crafted);
  const lie = (round: number, of: number): boolean => round === of;
  const forgedFinal = forged('final', (fact, round) => (lie(round, 0) ? { ...fact, state: hash } : fact));
  const forgedOpened = forged('opened', (fact, round) => (lie(round, 1) ? { ...fact, base: hash } : fact));
  victim.tactics = { facts: (event) => forgedOpened(forgedFinal(event)) };
  const run = await swarm.startRun();
  await swarm.honestGoOn(run, [0, 1]);
  victim.tactics = {};
  const later = new Set(contexts(0).slice(1));
  expect(victim.posts.filter((post) => 'round' in post && post.round >= 1 && ['join', 'commit', 'ready', 'vote'].includes(post.kind))).toEqual([]);
  expect(released(2).filter((key) => later.has(key.split('/')[0] as Digest))).toEqual([]);
  expect(victim.log.filter(({ level }) => level === 'error').map(({ message }) => message)).toContain('state differs from the one that was voted');
});

attack(2, 'both shares of a member, by asking for everything at any time', 'refused', async () => {
  const { attacker } = swarm;
  let held: boolean | undefined;
  attacker.tactics = {
    submit: (transaction) => {
      if (transaction.kind !== 'ready' || transaction.round !== 1 || held === false) return transaction;
      held = true;
      return undefined;
    },
  };
  const run = await swarm.startRun();
  const honest = [0, 1, 2].map((at) => swarm.peer(at).context.network.peerId);
  const askAll = (): void => {
    for (const context of contexts(3)) {
      for (const peer of honest) {
        for (let attempt = 0; attempt < 4; attempt++) {
          attacker.send(peer, encodeMessage({ context, body: { kind: 'request', item: { kind: 'seed', attempt } } }, version));
          for (let owner = 0; owner < 4; owner++)
            attacker.send(peer, encodeMessage({ context, body: { kind: 'request', item: { kind: 'seedShare', attempt, owner } } }, version));
        }
        const unknown = encodeMessage({ context, body: { kind: 'request', item: { kind: 'seed', attempt: 1 } } }, version);
        for (let item = 4; item < 12; item++)
          attacker.send(
            peer,
            Uint8Array.from(unknown, (byte, at) => (unknown[at - 1] === 8 && byte === 2 ? item : byte)),
          );
      }
    }
  };
  for (let asked = 0; asked < 300 && held !== true; asked++) {
    askAll();
    await wait(200);
  }
  const secretsHeard = () =>
    attacker.heard.filter(({ message: { body, context } }) => (body.kind === 'seed' || body.kind === 'seedShare') && context === contexts(3)[1]);
  for (let asked = 0; asked < 15; asked++) {
    askAll();
    await wait(200);
  }
  expect(secretsHeard(), 'before n of n READY').toEqual([]);
  held = false;
  await swarm.honestGoOn(run, [0, 1, 2, 3]);
  attacker.tactics = {};
  const kinds = new Set(attacker.heard.map(({ message }) => message.body.kind));
  expect([...kinds].sort().filter((kind) => !['bundle', 'request', 'seed', 'seedShare', 'shares'].includes(kind))).toEqual([]);
  const seedsOfOthers = attacker.heard.filter(({ message }) => message.body.kind === 'seed');
  expect(seedsOfOthers.length, 'seeds come after the certificate').toBeGreaterThan(0);
  for (const at of [0, 1, 2])
    expect(swarm.edge(at).warnings('a message was dropped').length, 'items that do not exist are refused with blame remote').toBeGreaterThan(0);
});

attack(3, 'differencing by a forced retry', 'refused', async () => {
  const { attacker } = swarm;
  attacker.tactics = {
    submit: (transaction) => (transaction.kind === 'ready' || transaction.kind === 'have' ? (transaction.round === 1 ? undefined : transaction) : transaction),
  };
  const run = await swarm.startRun();
  await swarm.honestGoOn(run);
  attacker.tactics = {};
  const attempts = swarm.facts(run, 'attemptOpened').filter(({ round }) => round === 1);
  const liar = swarm.indexOf(3, run);
  expect(
    attempts.map(({ set }) => set.includes(liar)),
    'the second attempt leaves the silent one out',
  ).toEqual([true, false]);
  const second = contexts(0)[1];
  for (const at of [0, 1, 2]) expect(new Set(released(at).filter((key) => key.startsWith(`${second}`)))).toEqual(new Set([`${second}/1`]));
});

attack(5, 'a tiny cohort: two members in a list, terms that allow it', 'refused', async () => {
  const victim = swarm.edge(2);
  const study = swarm.question;
  const genesis = new TrainingQuestion(study, 4, checkModel(study).genesis.length).genesis(checkModel(study).genesis);
  const roster = swarm.peer(0).context.consortium.approvers(study.id);
  const start = (change: object, members = roster) =>
    swarm.attacker.ledger.submit(
      { kind: 'startRun', study: study.id, roster: members, terms: { ...runTerms(study), protocol: 2, ...change }, base: genesis.hash, plan: genesis.plan },
      { signal },
    );
  await expect(start({ minMembers: 2 })).rejects.toMatchObject({ code: 'LEDGER_REFUSED', detail: { reason: expect.stringContaining('BadTerms') } });
  await expect(start({}, roster.slice(0, 2))).rejects.toMatchObject({ code: 'LEDGER_REFUSED', detail: { reason: expect.stringContaining('BadRoster') } });
  let small: readonly number[] = [];
  victim.tactics = { facts: forged('attemptOpened', (fact, round) => (round === 2 ? { ...fact, set: small } : fact)) };
  const own = roster.indexOf(swarm.account(2));
  small = [own, roster.indexOf(swarm.account(3))].sort((a, b) => a - b);
  const run = await swarm.startRun();
  await swarm.honestGoOn(run, [0, 1]);
  victim.tactics = {};
  expect(
    victim.posts.filter((post) => post.kind === 'commit' && post.round === 2),
    'a list of two gets no vector',
  ).toEqual([]);
  expect(released(2).filter((key) => key.startsWith(`${contexts(0)[2]}`))).toEqual([]);
});

attack(13, 'replay and equivocation: another bundle, other vectors, old messages, an old READY', 'refused', async () => {
  const { attacker } = swarm;
  const own = new Set<string>();
  const old: Uint8Array[] = [];
  /** Rounds of the two lies, each the first one that expects everybody: on a busy machine an honest member may be late for one. */
  const lied: { bundle?: number; vector?: number } = {};
  let replays = 0;
  const newest = (run: number) => swarm.facts(run, 'opened', 3).at(-1);
  attacker.tactics = {
    submit: (transaction) => {
      if (transaction.kind !== 'commit' || lied.bundle === undefined || transaction.round <= lied.bundle) return transaction;
      if (newest(transaction.run)?.roster.length === 4) lied.vector ??= transaction.round;
      if (lied.vector === transaction.round) own.add(transaction.root);
      return transaction;
    },
    chunk: (root, bytes) => (own.has(root) ? bytes.map((byte, at) => (at === 0 ? byte ^ 1 : byte)) : bytes),
    outgoing: (to, bytes) => {
      const message = decodeMessage(bytes, protocolVersions);
      const opened = newest(swarm.peer(3).runs.find().run);
      if (opened?.round === 0) old.push(bytes);
      for (let time = 0; time < 3 && old.length > 0; time++) attacker.send(to, old[replays++ % old.length] ?? bytes);
      if (message.body.kind !== 'bundle' || !opened?.round) return bytes;
      if (opened.roster.length === 4) lied.bundle ??= opened.round;
      if (lied.bundle !== opened.round) return bytes;
      return encodeMessage({ ...message, body: { ...message.body, x25519: message.body.x25519.map((byte) => byte ^ 1) } }, message.version);
    },
  };
  const run = await swarm.startRun();
  const isOver = (round: number | undefined): boolean =>
    round !== undefined && [...swarm.facts(run, 'final'), ...swarm.facts(run, 'void')].some((end) => end.round === round);
  await swarm.until('both lies are told and their rounds are over', () => isOver(lied.bundle) && isOver(lied.vector));
  attacker.tactics = {};
  await swarm.honestGoOn(run);
  const liar = swarm.indexOf(3, run);
  const joined = swarm.facts(run, 'joinClosed').find(({ round }) => round === lied.bundle)?.joined ?? [];
  const shown = [0, 1, 2].filter((at) => joined.includes(swarm.indexOf(at, run)));
  expect(shown.length, swarm.told()).toBeGreaterThan(0);
  for (const at of shown) {
    const blamed = swarm.edge(at).warnings('a bundle does not fit the ledger');
    expect(blamed.length, `a second bundle is refused by peer ${at}\n${swarm.told()}`).toBeGreaterThan(0);
    expect(new Set(blamed.map(({ fields }) => fields['from']))).toEqual(new Set([liar]));
  }
  for (const { round, set } of swarm.facts(run, 'attemptOpened'))
    if (round === lied.bundle) expect(set, 'whose shares nobody could take is not in the set').not.toContain(liar);
  for (const { round, set } of swarm.facts(run, 'final'))
    if (round === lied.vector) expect(set, 'whose vector nobody could check is not in the sum').not.toContain(liar);
  const ready = swarm.facts(run, 'ready').find(({ member }) => member === liar);
  expect(ready && attacker.ledger.readySigner({ ...ready, sum: digest('00'.repeat(32)), members: swarm.peer(0).runs.find(run).roster })).not.toBe(
    swarm.account(3),
  );
});

attack(4, 'differencing across runs with a changed list', 'refused', async () => {
  const study = swarm.question;
  const { attacker } = swarm;
  await attacker.ledger.submit({ kind: 'decideStudy', study: study.id, approved: false, dataVersion: digest('00'.repeat(32)) }, { signal });
  await swarm.until('the honest know', () => [0, 1, 2].every((at) => swarm.peer(at).context.consortium.approvers(study.id).length === 3));
  await expect(swarm.peer(0).runs.start(study.id), 'an honest member does not start it').rejects.toMatchObject({
    code: 'PEER_SET_TOO_CLOSE',
    blame: 'operator',
  });
  const { genesis } = checkModel(study);
  const from = new TrainingQuestion(study, 3, genesis.length).genesis(genesis);
  const roster = swarm.peer(0).context.consortium.approvers(study.id);
  for (const edge of swarm.edges) edge.sent.length = 0;
  await attacker.ledger.submit(
    { kind: 'startRun', study: study.id, roster, terms: { ...runTerms(study), protocol: 2 }, base: from.hash, plan: from.plan },
    { signal },
  );
  const trouble = (at: number) => swarm.peer(at).runs.status(swarm.peer(at).runs.find()).trouble;
  await swarm.until('all honest members refuse', () => [0, 1, 2].every((at) => trouble(at)?.includes('differs by fewer than 3 members') === true));
  for (const at of [0, 1, 2]) {
    expect(trouble(at), 'and say who is missing').toContain('long-beach');
    expect(released(at)).toEqual([]);
  }
  await attacker.ledger.submit({ kind: 'stopRun', run: swarm.peer(0).runs.find().run }, { signal });
});
