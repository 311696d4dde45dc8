/** What a run counts: which sums are opened, and at the end the cells themselves. */
import { html } from 'htm/preact';
import { useEffect, useState } from 'preact/hooks';
import type { RunSnapshot } from './snapshot.ts';
import { words } from './words.ts';

interface Cell {
  readonly place: readonly { readonly label: string }[];
  readonly result: { readonly hidden: string } | { readonly rows: number; readonly share?: { readonly of: number }; readonly percentile?: number };
}

const shownCells = 60;

/** Whether a run counts: its first figures come from a sum of who contributes. */
export function isCounting(run: RunSnapshot): boolean {
  return run.figures.some(({ purpose }) => purpose === 'presence');
}

function Row({ place, result }: Cell): unknown {
  const name = place.map(({ label }) => label).join(' › ') || words.everything;
  if ('hidden' in result)
    return html`<tr><td>${name}</td><td class="soft" colspan="3">${words.hiddenCells[result.hidden as keyof typeof words.hiddenCells] ?? result.hidden}</td></tr>`;
  const { rows, share, percentile } = result;
  return html`<tr><td>${name}</td><td class="n">${rows}</td><td class="n">${share === undefined ? '–' : `${(100 * share.of).toFixed(1)} %`}</td><td class="n">${percentile === undefined ? '–' : percentile.toFixed(0)}</td></tr>`;
}

/** The sums done so far, then the cells. */
export function Counts({ run }: { run: RunSnapshot }): unknown {
  const [cells, show] = useState<readonly Cell[] | undefined>(undefined);
  const isDone = run.outcome?.startsWith('complete') ?? false;
  useEffect(() => {
    if (!isDone) return;
    fetch(`/v1/runs/${run.run}/tables`)
      .then(async (answer) => (answer.ok ? show(((await answer.json()) as { cells: readonly Cell[] }).cells) : undefined))
      .catch(() => undefined);
  }, [isDone, run.figures.length]);
  const sums = run.figures.map(({ purpose }) => words.sums[purpose as keyof typeof words.sums] ?? purpose);
  const told = (cells ?? []).filter(({ result }) => 'hidden' in result || result.rows > 0);
  const rest = told.length > shownCells ? html`<p class="soft small">${told.length - shownCells} ${words.moreCells}</p>` : '';
  const table = html`<div class="scroll"><table><thead><tr><th>${words.cell}</th><th class="n">${words.rows}</th><th class="n">${words.share}</th><th class="n">${words.percentile}</th></tr></thead><tbody>${told.slice(0, shownCells).map((cell) => html`<${Row} ...${cell} />`)}</tbody></table></div>${rest}
    <p class="soft small">${words.tablesHint} <span class="mono">schwarm run tables ${run.run}</span></p>`;
  return html`<section><h2>${words.counted}</h2>${cells ? table : html`<p class="soft">${sums.at(-1) ?? words.noCounts}</p>`}</section>`;
}
