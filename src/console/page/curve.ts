/** The loss curve: uPlot inside a component, updated in place. */
import { html } from 'htm/preact';
import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import type { RunSnapshot } from './snapshot.ts';
import { words } from './words.ts';

function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function plot(target: HTMLElement): uPlot {
  const axis = { stroke: colour('--soft'), grid: { stroke: colour('--line'), width: 1 }, ticks: { stroke: colour('--line') } };
  const options = {
    width: target.clientWidth,
    height: 220,
    legend: { show: false },
    cursor: { y: false },
    scales: { x: { time: false } },
    axes: [
      { ...axis, incrs: [1, 2, 5, 10, 20, 50, 100] },
      { ...axis, size: 56 },
    ],
    series: [{}, { stroke: colour('--accent'), width: 2.5, points: { show: true, size: 5 } }],
  };
  return new uPlot(options, [[], []], target);
}

/** Mean loss by round. */
export function Curve({ run }: { run: RunSnapshot }): unknown {
  const target = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot | null>(null);
  const points = run.figures.flatMap(({ round, meanLoss }) => (meanLoss === undefined ? [] : [{ round, meanLoss }]));
  useEffect(() => {
    if (!target.current) return undefined;
    chart.current = plot(target.current);
    const resize = (): void => chart.current?.setSize({ width: target.current?.clientWidth ?? 600, height: 220 });
    addEventListener('resize', resize);
    return () => {
      removeEventListener('resize', resize);
      chart.current?.destroy();
    };
  }, []);
  useEffect(() => {
    chart.current?.setData([points.map(({ round }) => round), points.map(({ meanLoss }) => meanLoss)]);
  }, [points.length]);
  const last = points.at(-1);
  const label = last ? `${points[0]?.meanLoss.toFixed(3)} → ${last.meanLoss.toFixed(3)}` : words.noLoss;
  return html`<div ref=${target} role="img" aria-label=${label}></div><p class="soft small">${label}</p>`;
}
