/** A member's own report on a run: its own rows only, written as run.json, metrics.csv, model.onnx and report.html. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ApiClient } from '../client.ts';
import type { RunDocument } from '../run-document.ts';
import { figure, type ReportDocument, renderReport, withInterval } from './report.ts';

interface OwnDocument {
  readonly status: RunDocument & { readonly study: string };
  readonly member: string;
  readonly rows: { readonly train: number; readonly test: number };
  readonly swarm: {
    readonly positives?: number;
    readonly auc?: number;
    readonly low?: number;
    readonly high?: number;
    readonly accuracy: number;
    readonly roc: readonly { readonly falsePositiveRate: number; readonly truePositiveRate: number }[];
  };
  readonly leakage: { readonly auc?: number; readonly low?: number; readonly high?: number };
}

/** What the model gives away about who was trained on, in a sentence. */
function leakageSentence({ auc, low, high }: OwnDocument['leakage']): string {
  if (auc === undefined) return 'Too few own rows to tell whether the model gives away which of them it was trained on.';
  const told = `An attack by the loss tells own training rows from own test rows with AUC ${withInterval({ auc, low, high, accuracy: 0 })}; 0.5 is chance.`;
  return low !== undefined && low > 0.5 ? `${told} The model gives away who was trained on: think before you hand it on.` : told;
}

function reportOf({ status, member, rows, swarm, leakage }: OwnDocument): ReportDocument {
  const figures = { auc: swarm.auc, low: swarm.low, high: swarm.high, accuracy: swarm.accuracy };
  return {
    title: status.title,
    question: `Run ${status.run} as ${member} sees it: its own rows only. ${status.exposure.join(' ')}`,
    outcome: status.outcome ?? 'running',
    missing: status.missing,
    rows: [{ name: member, ...rows, positives: swarm.positives, swarm: figures }],
    verdict: `On the own test rows the swarm's model reaches AUC ${withInterval(figures)} and accuracy ${figure(swarm.accuracy)}.`,
    curve: status.figures.flatMap(({ round, meanLoss }) => (meanLoss === undefined ? [] : [{ round, meanLoss }])),
    roc: [{ name: member, points: swarm.roc.map((point) => ({ x: point.falsePositiveRate, y: point.truePositiveRate })) }],
    facts: [
      ['study', status.study],
      ['model (SHA-256 of the parameters)', status.model ?? ''],
      ['rounds', `${status.finalRounds} of ${status.rounds}`],
      ['membership inference', leakageSentence(leakage)],
    ],
  };
}

/** Rows of metrics.csv: round, split, metric, value, n. */
export function metricsCsv(figures: RunDocument['figures']): string {
  const lines = figures.flatMap(({ round, meanLoss, rows }) => (meanLoss === undefined ? [] : [`${round},train,loss,${meanLoss},${rows}`]));
  return `round,split,metric,value,n\n${lines.join('\n')}\n`;
}

/** Asks the peer and writes the folder. */
export async function writeOwnReport(api: ApiClient, run: number, folder: string): Promise<{ readonly document: object; readonly lines: readonly string[] }> {
  const own = await api.get<OwnDocument>(`/v1/runs/${run}/report`);
  const model = await api.bytes(`/v1/runs/${run}/model`);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await writeFile(join(folder, 'run.json'), `${JSON.stringify(own, null, 2)}\n`);
  await writeFile(join(folder, 'metrics.csv'), metricsCsv(own.status.figures));
  await writeFile(join(folder, 'model.onnx'), model);
  const report = reportOf(own);
  await writeFile(join(folder, 'report.html'), renderReport(report));
  return { document: { folder, ...own }, lines: [`run ${run} · ${report.outcome}`, report.verdict, leakageSentence(own.leakage)] };
}
