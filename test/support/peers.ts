/** Four peers in this process, of the heart-disease study where nothing else is given, on a real embedded ledger and real libp2p, ready for a run. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type StudyId, silentLogger } from '../../src/common/index.ts';
import { deployConsortium, freshAccountKey, freshToken, serveLedger } from '../../src/ledger/index.ts';
import { createHome, createPeer, type Peer, type PeerParts, systemClock } from '../../src/peer/index.ts';
import { isTraining, packStudy, readStudy, runTerms } from '../../src/study/index.ts';
import { project, wait } from './demo.ts';
import { freePort } from './sockets.ts';

const { signal } = new AbortController();
const parts = { clock: systemClock, logger: silentLogger };
const hospitals = ['cleveland', 'budapest', 'zurich', 'long-beach'];

/** Another number of members (they share the four files in turn), or another text of study.toml. */
export interface HeartOptions {
  readonly members?: number;
  readonly edit?: (toml: string) => string;
  /** Changes a peer's config.toml. */
  readonly configure?: (toml: string, peer: number) => string;
  readonly question?: PeersQuestion;
}

/** What peers answer, and with which file at each. */
export interface PeersQuestion {
  readonly folder: string;
  readonly fileOf: (peer: number) => string;
}

const heart: PeersQuestion = {
  folder: join(project, 'deploy/studies/heart-disease'),
  fileOf: (peer) => join(project, `deploy/studies/heart-disease/data/${hospitals[peer % hospitals.length]}.csv`),
};

/** Peers that approved the study; `own` gives parts of its own to a peer by its number, `edit` changes study.toml. Dispose the stack to end them. */
export async function heartPeers(
  stack: AsyncDisposableStack,
  own: (peer: number) => Partial<PeerParts> = () => ({}),
  { members = hospitals.length, edit = (toml) => toml, configure = (toml) => toml, question = heart }: HeartOptions = {},
): Promise<{ readonly peers: readonly Peer[]; readonly study: StudyId; readonly rounds: number }> {
  const folder = mkdtempSync(join(tmpdir(), 'schwarm-peers-'));
  stack.defer(() => rmSync(folder, { recursive: true, force: true }));
  const token = freshToken('test');
  const ledger = stack.use(await serveLedger({ folder: join(folder, 'ledger'), host: '127.0.0.1', port: 0, chainId: 7341, tokens: [token] }, parts));
  const names = Array.from({ length: members }, (_, at) => (at < hospitals.length ? (hospitals[at] ?? '') : `site-${at + 1}`));
  const homes = names.map((name) => join(folder, name));
  const ports = await Promise.all(names.map(freePort));
  const enrolments = await Promise.all(
    homes.map((home, at) => createHome(home, { name: names[at] ?? '', listen: [`/ip4/127.0.0.1/tcp/${ports[at]}`], consolePort: 0 })),
  );
  const { contract } = await deployConsortium(
    { url: ledger.url, token: token.token, chainId: 7341, key: freshAccountKey(), founders: enrolments, votePercent: 50 },
    parts,
    { signal },
  );
  for (const [at, home] of homes.entries()) {
    const before = enrolments[at - 1];
    const config = readFileSync(join(home, 'config.toml'), 'utf8');
    const known = before ? config.replace(/^bootstrap = .*$/m, `bootstrap = ["${before.addresses[0]}/p2p/${before.peerId}"]`) : config;
    writeFileSync(join(home, 'config.toml'), configure(known, at));
    writeFileSync(
      join(home, 'consortium.json'),
      JSON.stringify({ format: 'schwarm.consortium/1', mode: 'embedded', url: ledger.url, chainId: 7341, contract }),
    );
    writeFileSync(join(home, 'ledger.token'), token.token);
  }
  const peers = await Promise.all(homes.map(async (home, at) => stack.use(await createPeer(home, { ...parts, ...own(at) }))));
  while (peers.some((peer) => peer.status().connected < peers.length - 1)) await wait(20);
  const studyFolder = join(folder, 'study');
  cpSync(question.folder, studyFolder, { recursive: true });
  writeFileSync(join(studyFolder, 'study.toml'), edit(readFileSync(join(studyFolder, 'study.toml'), 'utf8')));
  const study = await readStudy(studyFolder, { signal });
  await peers[0]?.studies.publish(packStudy(study));
  await Promise.all(
    peers.map(async (peer, at) => {
      while (!peer.context.consortium.studies.has(study.id)) await wait(20);
      await peer.dataSets.bind('heart', [question.fileOf(at)]);
      await peer.studies.approve(study.id, 'heart', { open: true });
    }),
  );
  while (peers.some((peer) => peer.context.consortium.approvers(study.id).length < peers.length)) await wait(20);
  return { peers, study: study.id, rounds: isTraining(study) ? study.manifest.training.rounds : runTerms(study).rounds };
}
