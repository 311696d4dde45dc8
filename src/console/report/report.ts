/** A run's report: data first, then one HTML file that needs neither network nor scripts. */
import { escaped, lineChart, type Series } from './charts.ts';

/** How well one model does on one set of rows; undefined where there are too few of either class to tell. */
export interface ReportFigures {
  readonly auc?: number | undefined;
  readonly low?: number | undefined;
  readonly high?: number | undefined;
  readonly accuracy: number;
}

/** One line of the table: a member, or all rows together. */
export interface ReportRow {
  readonly name: string;
  readonly train: number;
  readonly test: number;
  readonly positives: number | undefined;
  /** The member's own model, trained alone; absent in a member's own report. */
  readonly alone?: ReportFigures;
  readonly swarm: ReportFigures;
}

/** Everything that a report shows. */
export interface ReportDocument {
  readonly title: string;
  readonly question: string;
  readonly outcome: string;
  readonly missing: readonly string[];
  readonly rows: readonly ReportRow[];
  /** All test rows together, where one place holds them (the demo). */
  readonly all?: ReportRow & { readonly pooled: ReportFigures };
  /** One sentence: did joining pay? */
  readonly verdict: string;
  readonly curve: readonly { readonly round: number; readonly meanLoss: number }[];
  readonly roc: readonly Series[];
  /** Names and values for people who check: hashes, ledger, bytes, seconds. */
  readonly facts: readonly (readonly [string, string])[];
}

const style = `:root{--ink:#17212b;--soft:#5b6875;--line:#dfe4e8;--paper:#fff;--ground:#f5f7f8;--c1:#0b6e6e;--c2:#b45f06;--c3:#4a5aa8;--c4:#a62639;--c5:#5b6875;font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--ground)}
@media(prefers-color-scheme:dark){:root{--ink:#e8edf1;--soft:#9aa7b2;--line:#2b3640;--paper:#161d24;--ground:#0f151a;--c1:#4fb8b3;--c2:#e2a255;--c3:#93a4f0;--c4:#ef7d90}}
body{margin:0 auto;max-width:900px;padding:24px}h1{font-size:26px;margin:0}h2{font-size:14px;color:var(--soft);font-weight:600;margin:0 0 12px}section{background:var(--paper);border:1px solid var(--line);border-radius:8px;padding:18px;margin-top:16px}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}th{font-size:12px;color:var(--soft);text-align:right;font-weight:600}td{text-align:right}th:first-child,td:first-child,.words{text-align:left}td.words{white-space:nowrap;padding-left:16px}th.words{padding-left:16px}td,th{padding:6px 8px 6px 0;border-bottom:1px solid var(--line)}tr:last-child td{border:0}
.soft{color:var(--soft)}.mono{font:12.5px ui-monospace,Menlo,monospace;overflow-wrap:anywhere}.verdict{font-size:17px;margin:12px 0 0}svg{width:100%;height:auto}svg text{font:12px system-ui,sans-serif;fill:var(--soft)}.grid{stroke:var(--line)}.legend span{margin-right:16px;font-size:13px}.legend i{display:inline-block;width:12px;height:3px;margin-right:6px;vertical-align:middle}`;

/** A proportion with three digits, or a dash where it cannot be told. */
export function figure(value: number | undefined): string {
  return value === undefined ? '–' : value.toFixed(3);
}

/** `0.870 (0.790–0.930)`, or a dash. */
export function withInterval({ auc, low, high }: ReportFigures): string {
  return auc === undefined ? '–' : `${figure(auc)} (${figure(low)}–${figure(high)})`;
}

function tableRow(row: ReportRow, withAlone: boolean): string {
  const alone = row.alone ? `<td>${withInterval(row.alone)}</td><td>${figure(row.alone.accuracy)}</td>` : '<td>–</td><td>–</td>';
  return `<tr><td>${escaped(row.name)}</td><td>${row.train}</td><td>${row.test}</td><td>${row.positives ?? '–'}</td>${withAlone ? alone : ''}<td>${withInterval(row.swarm)}</td><td>${figure(row.swarm.accuracy)}</td></tr>`;
}

function table({ rows, all }: ReportDocument): string {
  const withAlone = rows.some((row) => row.alone);
  const head = `<tr><th>member</th><th>training rows</th><th>test rows</th><th>positive</th>${withAlone ? '<th>alone: AUC (95 %)</th><th>accuracy</th>' : ''}<th>swarm: AUC (95 %)</th><th>accuracy</th></tr>`;
  const pooled = all
    ? `<p class="soft">The same study trained on all rows in one place: AUC ${withInterval(all.pooled)}, accuracy ${figure(all.pooled.accuracy)}.</p>`
    : '';
  return `<table><thead>${head}</thead><tbody>${[...rows, ...(all ? [all] : [])].map((row) => tableRow(row, withAlone)).join('')}</tbody></table>${pooled}<p class="soft">A dash stands where either class has fewer than five test rows.</p>`;
}

/** A page that needs neither network nor scripts: `body` is HTML. */
export function document(title: string, body: string): string {
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>${escaped(title)}</title><style>${style}</style></head><body>
${body}
</body></html>
`;
}

/** The whole report as one HTML document. */
export function renderReport(report: ReportDocument): string {
  const { title, question, outcome, missing, verdict, curve, roc, facts } = report;
  const loss = lineChart([{ name: 'loss', points: curve.map(({ round, meanLoss }) => ({ x: round, y: meanLoss })) }], {
    label: 'Mean training loss over all members, by round',
    digits: { x: 0, y: 3 },
  });
  const rocChart = lineChart(roc, { label: 'ROC curves on test rows', x: [0, 1], y: [0, 1], digits: { x: 1, y: 1 } });
  const without = missing.length > 0 ? ` · without ${missing.map(escaped).join(', ')}` : '';
  return document(
    title,
    `<h1>${escaped(title)}</h1><p class="soft">${escaped(question)}<br>${escaped(outcome)}${without}</p>
<section><h2>Was it worth joining?</h2>${table(report)}<p class="verdict">${escaped(verdict)}</p></section>
<section><h2>Mean training loss over all members, by round</h2>${loss}</section>
<section><h2>ROC on test rows: false alarms along, hits up</h2>${rocChart}</section>
<section><h2>To check</h2><table><tbody>${facts.map(([name, value]) => `<tr><td>${escaped(name)}</td><td class="mono">${escaped(value)}</td></tr>`).join('')}</tbody></table></section>`,
  );
}
