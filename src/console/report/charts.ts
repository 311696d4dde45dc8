/** Charts as SVG text, for reports that open without network and without scripts. */

/** A line of points with a name. */
export interface Series {
  readonly name: string;
  readonly points: readonly { readonly x: number; readonly y: number }[];
}

interface Frame {
  readonly width: number;
  readonly height: number;
  readonly x: readonly [number, number];
  readonly y: readonly [number, number];
}

const margin = { left: 48, right: 16, top: 12, bottom: 32 };
const colours = ['var(--c1)', 'var(--c2)', 'var(--c3)', 'var(--c4)', 'var(--c5)'];

/** Text safe inside HTML and SVG. */
export function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

function scale({ width, height, x, y }: Frame): (point: { readonly x: number; readonly y: number }) => string {
  const [inner, deep] = [width - margin.left - margin.right, height - margin.top - margin.bottom];
  return (point) => {
    const left = margin.left + (inner * (point.x - x[0])) / (x[1] - x[0] || 1);
    const top = margin.top + deep * (1 - (point.y - y[0]) / (y[1] - y[0] || 1));
    return `${left.toFixed(1)} ${top.toFixed(1)}`;
  };
}

function ticks([low, high]: readonly [number, number], count: number): number[] {
  return Array.from({ length: count }, (_, at) => low + ((high - low) * at) / (count - 1));
}

function axes(frame: Frame, digits: { readonly x: number; readonly y: number }): string {
  const at = scale(frame);
  const across = ticks(frame.y, 5).map((y) => {
    const [, top] = at({ x: frame.x[0], y }).split(' ');
    return `<path class="grid" d="M${at({ x: frame.x[0], y })}L${at({ x: frame.x[1], y })}"/><text x="${margin.left - 8}" y="${Number(top) + 4}" text-anchor="end">${y.toFixed(digits.y)}</text>`;
  });
  const along = ticks(frame.x, 5).map(
    (x) => `<text x="${at({ x, y: frame.y[0] }).split(' ')[0]}" y="${frame.height - 10}" text-anchor="middle">${x.toFixed(digits.x)}</text>`,
  );
  return [...across, ...along].join('');
}

/** A line chart. Points are drawn in the order given. */
export function lineChart(
  series: readonly Series[],
  options: {
    readonly label: string;
    readonly x?: readonly [number, number];
    readonly y?: readonly [number, number];
    readonly digits: { readonly x: number; readonly y: number };
  },
): string {
  const all = series.flatMap(({ points }) => points);
  if (all.length === 0) return '<p class="soft">No points.</p>';
  const range = (values: number[]): readonly [number, number] => [Math.min(...values), Math.max(...values)];
  const frame: Frame = { width: 640, height: 280, x: options.x ?? range(all.map(({ x }) => x)), y: options.y ?? range(all.map(({ y }) => y)) };
  const at = scale(frame);
  const lines = series.map(
    ({ points }, index) => `<path fill="none" stroke="${colours[index % colours.length]}" stroke-width="2.5" d="M${points.map(at).join('L')}"/>`,
  );
  const legend =
    series.length < 2
      ? ''
      : `<p class="legend">${series.map(({ name }, index) => `<span><i style="background:${colours[index % colours.length]}"></i>${escaped(name)}</span>`).join('')}</p>`;
  return `<svg viewBox="0 0 ${frame.width} ${frame.height}" role="img" aria-label="${escaped(options.label)}">${axes(frame, options.digits)}${lines.join('')}</svg>${legend}`;
}
