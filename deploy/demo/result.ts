/** What a run of the demo leaves: the JSON document, and a folder with run.json, model.onnx, metrics.csv and report.html. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ChainSummary, type ReportFigures, type RunDocument, renderReport } from '../../src/console/index.ts';
import type { TrainingStudy } from '../../src/study/index.ts';
import type { Comparison, ModelQuality, Quality } from './comparison.ts';
import { verdict } from './screen.ts';
import type { DemoStudy } from './study.ts';

/** What was measured on the way. */
export interface Timing {
  readonly start: number;
  readonly rounds: number;
  readonly total: number;
  readonly roundMedian: number;
}

/** One member in the result. */
export interface MemberResult {
  readonly name: string;
  readonly peerId: string;
  readonly account: string;
  readonly pid: number;
  readonly modelSha256: string | null;
}

/** Everything the result is made from. */
export interface Outcome {
  readonly demo: DemoStudy<TrainingStudy>;
  readonly run: RunDocument & { readonly history: readonly { readonly phase: string; readonly seconds: number; readonly absent: readonly string[] }[] };
  readonly members: readonly MemberResult[];
  readonly comparison: Comparison;
  readonly chain: ChainSummary;
  readonly timing: Timing;
  readonly bytesPerRoundPerMember: number;
  readonly model: Uint8Array;
}

/** The middle of the ascending order, of an even number the upper one; 0 of none. */
export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

function heads({ meanAccuracy, all }: ModelQuality): object {
  return { meanAccuracy, pooledAuc: all.auc, pooledAccuracy: all.accuracy };
}

function ownFigures(quality: Quality | undefined): object {
  return { auc: quality?.auc ?? null, accuracy: quality?.accuracy ?? null };
}

/** The document of `--json`, format `schwarm.demo/1`. */
export function resultDocument(outcome: Outcome, folder: string): object {
  const { demo, run, members, comparison, chain, timing, bytesPerRoundPerMember } = outcome;
  const { local, swarm, pooled, rows } = comparison;
  return {
    format: 'schwarm.demo/1',
    outcome: run.outcome,
    missing: run.missing,
    study: { id: demo.study.id, title: demo.study.manifest.title },
    rounds: run.finalRounds,
    members: members.map((member, at) => ({ ...member, rows: rows[at], local: ownFigures(local.members[at]), swarm: ownFigures(swarm.members[at]) })),
    local: heads(local),
    swarm: heads(swarm),
    pooled: heads(pooled),
    ledger: {
      engine: chain.engine,
      chainId: chain.chainId,
      contract: chain.contract,
      transactions: chain.transactions,
      finalModelSha256: chain.finalModel ?? null,
      finals: chain.finals,
    },
    seconds: timing,
    bytes: { perRoundPerMember: bytesPerRoundPerMember },
    folder,
  };
}

function reportFigures({ interval, accuracy }: Quality): ReportFigures {
  return { auc: interval?.auc, low: interval?.low, high: interval?.high, accuracy };
}

function metricsCsv({ run, demo, comparison }: Outcome): string {
  const losses = run.figures.flatMap(({ round, meanLoss, rows }) => (meanLoss === undefined ? [] : [`${round},all,train,loss,${meanLoss},${rows}`]));
  const quality = (model: string, figures: ModelQuality) =>
    [...figures.members.map((member, at) => [demo.members[at]?.name ?? '', member] as const), ['all', figures.all] as const].flatMap(
      ([name, { auc, accuracy, rows }]) => [
        ...(auc === null ? [] : [`${run.finalRounds},"${name}",test,${model}-auc,${auc},${rows}`]),
        `${run.finalRounds},"${name}",test,${model}-accuracy,${accuracy},${rows}`,
      ],
    );
  return [
    'round,site,split,metric,value,n',
    ...losses,
    ...quality('local', comparison.local),
    ...quality('swarm', comparison.swarm),
    ...quality('pooled', comparison.pooled),
    '',
  ].join('\n');
}

function report({ demo, run, members, comparison, chain, timing, bytesPerRoundPerMember }: Outcome): string {
  const { manifest, id } = demo.study;
  const { rows, local, swarm, pooled } = comparison;
  const table = members.flatMap(({ name }, at) => {
    const [row, alone, together] = [rows[at], local.members[at], swarm.members[at]];
    return row && alone && together ? [{ name, ...row, positives: together.positives, alone: reportFigures(alone), swarm: reportFigures(together) }] : [];
  });
  const sum = (pick: 'train' | 'test'): number => rows.reduce((total, row) => total + row[pick], 0);
  const all = {
    name: 'all',
    train: sum('train'),
    test: sum('test'),
    positives: swarm.all.positives,
    alone: reportFigures(local.all),
    swarm: reportFigures(swarm.all),
    pooled: reportFigures(pooled.all),
  };
  const curve = (name: string, quality: Quality) => ({
    name,
    points: quality.roc.map(({ falsePositiveRate, truePositiveRate }) => ({ x: falsePositiveRate, y: truePositiveRate })),
  });
  return renderReport({
    title: manifest.title,
    question: manifest.question,
    outcome: `${run.outcome ?? 'failed'} · ${run.finalRounds} rounds · ${members.length} members`,
    missing: run.missing,
    rows: table,
    all,
    verdict: verdict(demo.members, comparison),
    curve: run.figures.flatMap(({ round, meanLoss }) => (meanLoss === undefined ? [] : [{ round, meanLoss }])),
    roc: manifest.task === 'binary' ? [curve('swarm', swarm.all), curve('each alone', local.all), curve('all rows in one place', pooled.all)] : [],
    facts: [
      ['study', id],
      ['model: SHA-256 of the parameters, at every member and on the ledger', chain.finalModel ?? 'none'],
      [
        'ledger',
        `embedded, one process, one operator · ${chain.engine} · chain ${chain.chainId} · contract ${chain.contract} · ${chain.transactions} transactions`,
      ],
      [
        'seconds',
        `${timing.start.toFixed(1)} to start, ${timing.rounds.toFixed(1)} for ${run.finalRounds} rounds, median ${timing.roundMedian.toFixed(2)} a round`,
      ],
      ['bytes received by a member in a round', String(bytesPerRoundPerMember)],
      ...members.map(({ name, peerId }): readonly [string, string] => [`peer of ${name}`, peerId]),
    ],
  });
}

/** Writes the folder under `parent` and gives its path. */
export function writeResult(outcome: Outcome, parent: string, calendarMs: number): string {
  const day = new Date(calendarMs).toISOString().slice(0, 10);
  const folder = join(parent, `${day}-${outcome.demo.name}-${(outcome.chain.finalModel ?? 'none').slice(0, 4)}-${outcome.run.run}`);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'model.onnx'), outcome.model);
  writeFileSync(join(folder, 'metrics.csv'), metricsCsv(outcome));
  writeFileSync(join(folder, 'report.html'), report(outcome));
  writeFileSync(join(folder, 'run.json'), `${JSON.stringify({ ...resultDocument(outcome, folder), history: outcome.run.history }, null, 2)}\n`);
  return folder;
}
