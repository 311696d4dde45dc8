/** A swarm under attack: four peers of a small study, each with edges that a test may turn, and the questions that every attack ends with. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { Account, StudyId } from '../../src/common/index.ts';
import type { LedgerEvent } from '../../src/ledger/index.ts';
import type { Peer } from '../../src/peer/index.ts';
import { packStudy, type TrainingStudy, withSeed, writeStudyTemplate } from '../../src/study/index.ts';
import type { RoundFact } from '../../src/wire/index.ts';
import { wait } from './demo.ts';
import { Subverted } from './malicious.ts';
import { heartPeers } from './peers.ts';
import { writePatients } from './rows.ts';
import { readTrainingStudy } from './studies.ts';

/** Short phases: an attacker that keeps silent costs the honest this much. */
const terms = '\n[terms]\njoinS = 10\nshareS = 10\nreadyS = 8\nrevealS = 12\n';

export interface SwarmOptions {
  /** Update rounds of a run. */
  readonly rounds?: number;
  /** Changes the text of study.toml. */
  readonly toml?: (text: string) => string;
  readonly rowsOf?: (peer: number) => number;
}

/** Four peers that approved one study. Peer 3 is the attacker's; the first three are honest, though one may be shown a lying ledger. */
export class Swarm {
  readonly peers: readonly Peer[];
  readonly edges: readonly Subverted[];
  readonly folder: string;
  readonly #rowsOf: (peer: number) => number;
  #question: TrainingStudy;
  #runs = 0;

  private constructor(peers: readonly Peer[], edges: readonly Subverted[], question: TrainingStudy, folder: string, rowsOf: (peer: number) => number) {
    this.peers = peers;
    this.edges = edges;
    this.#question = question;
    this.folder = folder;
    this.#rowsOf = rowsOf;
  }

  /** The study that all have approved last. */
  get question(): TrainingStudy {
    return this.#question;
  }

  get study(): StudyId {
    return this.#question.id;
  }

  static async start(stack: AsyncDisposableStack, { rounds = 3, toml = (text) => text, rowsOf = () => 60 }: SwarmOptions = {}): Promise<Swarm> {
    const folder = mkdtempSync(join(tmpdir(), 'schwarm-attacked-'));
    stack.defer(() => rmSync(folder, { recursive: true, force: true }));
    const studyFolder = join(folder, 'study');
    await writeStudyTemplate(studyFolder, { signal: new AbortController().signal });
    const file = join(studyFolder, 'study.toml');
    writeFileSync(file, toml(readFileSync(file, 'utf8').replace('rounds = 30', `rounds = ${rounds}`).replace('budgetS = 600', 'budgetS = 12') + terms));
    const fileOf = (peer: number) => writePatients(join(folder, `patients-${peer}.csv`), rowsOf(peer), peer);
    const edges = Array.from({ length: 4 }, () => new Subverted());
    const { peers } = await heartPeers(stack, (peer) => edges[peer]?.parts ?? {}, { question: { folder: studyFolder, fileOf } });
    return new Swarm(peers, edges, await readTrainingStudy(studyFolder, { signal: new AbortController().signal }), studyFolder, rowsOf);
  }

  peer(at: number): Peer {
    const peer = this.peers[at];
    if (!peer) throw new Error(`no peer ${at}`);
    return peer;
  }

  edge(at: number): Subverted {
    const edge = this.edges[at];
    if (!edge) throw new Error(`no peer ${at}`);
    return edge;
  }

  get attacker(): Subverted {
    return this.edge(3);
  }

  account(at: number): Account {
    return this.peer(at).context.account;
  }

  /** The index of a peer in a run. */
  indexOf(at: number, run: number): number {
    return this.peer(0).runs.find(run).roster.indexOf(this.account(at));
  }

  /** Starts a run by an honest peer, on rows of its own: a sum over other members on the same rows would be refused as differencing. */
  async startRun(by = 0): Promise<number> {
    await this.#stopLive();
    if (this.#runs++ > 0) await this.#renew();
    for (const edge of this.edges) {
      edge.sent.length = 0;
      edge.heard.length = 0;
      edge.posts.length = 0;
      edge.log.length = 0;
    }
    return await this.peer(by).runs.start(this.study);
  }

  /** Resolves once `holds`; rejects with the words and where the run stands. */
  async until(what: string, holds: () => boolean, limitMs = 200_000): Promise<void> {
    const end = performance.now() + limitMs;
    while (!holds()) {
      if (performance.now() > end) throw new Error(`not within ${limitMs / 1000} s: ${what}\n${this.told()}`);
      await wait(20);
    }
  }

  /** The honest reached the end of the run, and they and the ledger name one model. */
  async honestGoOn(run: number, honest: readonly number[] = [0, 1, 2]): Promise<void> {
    for (const at of honest) await this.until(`peer ${at} sees the end of run ${run}`, () => this.peer(at).runs.find(run).outcome !== undefined);
    const [first = 0] = honest;
    const status = this.peer(first).runs.status(this.peer(first).runs.find(run));
    expect(status.view.outcome, this.told()).toBe('complete');
    for (const at of honest) {
      const held = async () =>
        (
          await this.peer(at)
            .runs.held(run)
            .catch(() => undefined)
        )?.model;
      const end = performance.now() + 20_000;
      while ((await held()) === undefined && performance.now() < end) await wait(50);
      expect(await held(), `model of peer ${at}`).toBe(status.model);
    }
  }

  /** Facts of a round as peer `at` has them. */
  facts<Kind extends RoundFact['kind']>(run: number, kind: Kind, at = 1): readonly (Extract<RoundFact, { kind: Kind }> & { readonly round: number })[] {
    const isOf = (event: LedgerEvent): boolean => event.scope === 'round' && event.run === run && event.fact.kind === kind;
    return this.peer(at)
      .context.journal.events()
      .filter(isOf)
      .map((event) => ({ ...(event.fact as Extract<RoundFact, { kind: Kind }>), round: event.scope === 'round' ? event.round : -1 }));
  }

  /** New rows at every member, and the same question about them under a name of its own. */
  async #renew(): Promise<void> {
    const study = withSeed(this.#question, this.#runs);
    this.#question = study;
    await this.peer(0).studies.publish(packStudy(study));
    for (const [at, peer] of this.peers.entries()) {
      await this.until('the study is known', () => peer.context.consortium.studies.has(study.id));
      await peer.dataSets.bind('heart', [writePatients(join(this.folder, `run-${this.#runs}-${at}.csv`), this.#rowsOf(at), 10 * this.#runs + at)]);
      await peer.studies.approve(study.id, 'heart');
    }
    await this.until('all have approved', () => this.peers.every((peer) => peer.context.consortium.approvers(study.id).length === this.peers.length));
  }

  /** What a failed test left running. */
  async #stopLive(): Promise<void> {
    for (const { run, outcome } of [...this.peer(0).context.consortium.runs.values()]) {
      if (outcome !== undefined) continue;
      await this.peer(0).runs.stop(run);
      await this.until('the run before is over', () => this.peers.every((peer) => peer.runs.find(run).outcome !== undefined));
    }
  }

  /** What every peer says of the newest run: for whoever reads why a test failed. */
  told(): string {
    return this.peers
      .map((peer, at) => {
        const { view, trouble } = peer.runs.status(peer.runs.find());
        const warnings = this.edges[at]?.log.filter(({ level }) => level === 'warn' || level === 'error').slice(-5) ?? [];
        const rounds = view.rounds.map(({ round, phase, attempt, set, done }) => `${round} ${phase} ${attempt} [${set}] done [${done}]`).join('; ');
        return `peer ${at}: ${view.outcome ?? 'running'} · ${rounds} · ${trouble ?? ''} · ${JSON.stringify(warnings)}`;
      })
      .join('\n');
  }
}
