/** What a run counted, as files: cells.csv, models.csv, tables.json, and one HTML file that needs neither network nor scripts. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Counted } from '../../peer/index.ts';
import type { ApiClient } from '../client.ts';
import type { RunDocument } from '../run-document.ts';
import { escaped } from './charts.ts';
import { document } from './report.ts';

type Cell = Counted['cells'][number];
type Model = Counted['models'][number];

/** A number to four digits, without zeros behind. */
function short(value: number): string {
  return String(Number(value.toPrecision(4)));
}

/** 97.5 % point of the normal distribution: two of them span a 95 % interval. */
const interval95 = 1.959963984540054;

/** A text in a CSV cell: quoted, and never a formula to a spreadsheet. */
function csvText(text: string): string {
  return `"${(/^[=+\-@\t\r]/.test(text) ? `'${text}` : text).replaceAll('"', '""')}"`;
}

function csvLine(values: readonly (string | number | undefined)[]): string {
  return values.map((value) => (typeof value === 'string' ? csvText(value) : (value ?? ''))).join(',');
}

/** One line for each cell; numbers that are not told are empty, and `hidden` says why. */
export function cellsCsv({ manifest, cells }: Counted): string {
  const variables = manifest.variable.map((variable, at) => ({ ...variable, at })).filter(({ table }) => table);
  const quantileNames = (variable: (typeof variables)[number]): string[] =>
    (variable.quantiles ?? []).flatMap((q) => [`${variable.name}_q${q}_from`, `${variable.name}_q${q}_to`]);
  const head = [
    ...manifest.dimension.map(({ name }) => name),
    'units',
    'rows',
    'share',
    'share_low',
    'share_high',
    'percentile',
    'hidden',
    ...variables.flatMap((variable) => [`${variable.name}_rows`, `${variable.name}_mean`, `${variable.name}_sd`, ...quantileNames(variable)]),
  ];
  const line = ({ place, result }: Cell): string => {
    const names = manifest.dimension.map((_, at) => (place[at] === undefined ? undefined : String(place[at].value)));
    if ('hidden' in result) return csvLine([...names, ...Array<undefined>(6).fill(undefined), result.hidden]);
    const figures = variables.flatMap(({ at, quantiles = [] }) => {
      const told = result.variables[at] ?? undefined;
      return [told?.rows, told?.mean, told?.sd, ...quantiles.flatMap((_, q) => [told?.quantiles[q]?.from, told?.quantiles[q]?.to])];
    });
    return csvLine([...names, result.units, result.rows, result.share?.of, result.share?.low, result.share?.high, result.percentile, undefined, ...figures]);
  };
  return `${[csvLine(head), ...cells.map(line)].join('\n')}\n`;
}

/** One line for each coefficient. */
export function modelsCsv({ models }: Counted): string {
  const lines = models.flatMap(({ name, columns, result }) =>
    'hidden' in result
      ? [csvLine([name, undefined, undefined, undefined, undefined, undefined, undefined, result.hidden])]
      : result.estimates.map(({ estimate, standardError }, at) => {
          const reach = interval95 * standardError;
          return csvLine([name, columns[at], estimate, standardError, estimate - reach, estimate + reach, result.rows, undefined]);
        }),
  );
  return `${['"model","column","estimate","standard_error","low","high","rows","hidden"', ...lines].join('\n')}\n`;
}

function placeWords({ place }: Cell): string {
  return place.length === 0 ? 'everything' : place.map(({ label }) => label).join(' › ');
}

function cellRow(cell: Cell): string {
  const { result } = cell;
  const name = `<td>${escaped(placeWords(cell))}</td>`;
  if ('hidden' in result) return `<tr>${name}<td class="soft" colspan="4">${escaped(result.hidden)}</td></tr>`;
  const percentile = result.percentile === undefined || result.percentile === null ? '–' : result.percentile.toFixed(0);
  return `<tr>${name}<td>${result.rows}</td><td>${result.units}</td><td>${shareWords(result.share)}</td><td>${percentile}</td></tr>`;
}

function shareWords(share: { readonly of: number; readonly low: number; readonly high: number } | undefined): string {
  const percent = (value: number): string => (100 * value).toFixed(1);
  return share === undefined ? '–' : `${percent(share.of)} % (${percent(share.low)}–${percent(share.high)})`;
}

/** Cells that hold nothing at any site say nothing. */
function isTold({ result }: Cell): boolean {
  return 'hidden' in result || result.rows > 0;
}

const shownCells = 400;

function cellTable(counted: Counted): string {
  const told = counted.cells.filter(isTold);
  const rest = told.length > shownCells ? `<p class="soft">The first ${shownCells} of ${told.length} cells; all of them are in cells.csv.</p>` : '';
  const head = '<tr><th>cell</th><th>rows</th><th>different persons or cases</th><th>share of the cell above (95 %)</th><th>percentile</th></tr>';
  const rows = told.slice(0, shownCells).map((cell) => cellRow(cell));
  return `<table><thead>${head}</thead><tbody>${rows.join('')}</tbody></table>${rest}`;
}

function meanTable({ manifest, cells }: Counted): string {
  const variables = manifest.variable.map((variable, at) => ({ ...variable, at })).filter(({ table }) => table);
  const lines = cells
    .flatMap((cell) => variables.map((variable) => ({ cell, variable })))
    .flatMap(({ cell, variable }) => {
      const told = 'hidden' in cell.result ? undefined : cell.result.variables[variable.at];
      if (!told) return [];
      const quantiles = (variable.quantiles ?? []).map((q, at) => {
        const part = told.quantiles[at];
        return `${100 * q} %: ${part ? `${short(part.from)} to ${short(part.to)}` : 'not told'}`;
      });
      return [
        `<tr><td>${escaped(placeWords(cell))}</td><td class="words">${escaped(variable.title ?? variable.name)}</td><td>${told.rows}</td><td>${short(told.mean)}</td><td>${short(told.sd)}</td><td class="words">${quantiles.join('<br>')}</td></tr>`,
      ];
    });
  if (lines.length === 0) return '';
  const head = '<tr><th>cell</th><th class="words">of</th><th>rows</th><th>mean</th><th>sd</th><th class="words">quantiles lie in</th></tr>';
  return `<section><h2>Means</h2><table><thead>${head}</thead><tbody>${lines.slice(0, shownCells).join('')}</tbody></table></section>`;
}

function modelTable({ name, columns, result }: Model): string {
  const title = `<h2>${escaped(name)}</h2>`;
  if ('hidden' in result) return `<section>${title}<p>Not told: ${escaped(result.hidden)}.</p></section>`;
  const rows = result.estimates.map(({ estimate, standardError }, at) => {
    const reach = interval95 * standardError;
    return `<tr><td>${escaped(columns[at] ?? '')}</td><td>${short(estimate)}</td><td>${short(standardError)}</td><td>${short(estimate - reach)} to ${short(estimate + reach)}</td></tr>`;
  });
  const warning = result.converged ? '' : '<p>The steps had not come to rest: ask again with more steps.</p>';
  return `<section>${title}<table><thead><tr><th>column</th><th>coefficient</th><th>standard error</th><th>95 % interval</th></tr></thead><tbody>${rows.join('')}</tbody></table><p class="soft">${result.rows} rows about ${result.units} different persons or cases.</p>${warning}</section>`;
}

/** What may not be read into the numbers, in plain words. */
function limitsOf({ manifest, cells, models }: Counted): readonly string[] {
  const { minSites, minCount, dominance, rounding } = manifest.disclosure;
  const hidden = cells.filter(({ result }) => 'hidden' in result).length;
  return [
    `${hidden} of ${cells.length} cells are not told: fewer than ${minSites} sites contribute, fewer than ${minCount} different persons are counted${dominance < 1 ? `, one site has more than ${Math.round(100 * dominance)} % of them` : ''}, a site withheld its part, or another cell would follow by subtraction.`,
    ...(rounding > 1 ? [`Counts are rounded to multiples of ${rounding}.`] : []),
    'Small numbers vary by chance from year to year: a high percentile of few cases is no finding.',
    'What goes along with each other over districts need not go along in persons (ecological fallacy).',
    ...(models.length > 0 ? ['A regression describes the rows that the sites have; it does not show causes.'] : []),
    'Persons are not linked across institutions: who appears at two of them is counted at both.',
  ];
}

/** The whole report as one HTML document. */
export function renderTables(counted: Counted, run: RunDocument & { readonly study?: string }): string {
  const { title, question } = counted.manifest;
  const without = run.missing.length > 0 ? ` · without ${run.missing.map(escaped).join(', ')}` : '';
  const limits = limitsOf(counted).map((sentence) => `<li>${escaped(sentence)}</li>`);
  return document(
    title,
    `<h1>${escaped(title)}</h1><p class="soft">${escaped(question)}<br>${escaped(run.outcome ?? 'running')}${without}</p>
<section><h2>Counts</h2>${cellTable(counted)}</section>
${meanTable(counted)}${counted.models.map(modelTable).join('')}
<section><h2>What these numbers do not say</h2><ul>${limits.join('')}</ul></section>
<section><h2>To check</h2><table><tbody><tr><td>study</td><td class="mono">${escaped(run.study ?? '')}</td></tr><tr><td>state: hash of everything that was opened, at every member and on the ledger</td><td class="mono">${escaped(run.model ?? 'none')}</td></tr></tbody></table></section>`,
  );
}

/** Asks the peer and writes the folder. */
export async function writeTables(api: ApiClient, run: number, folder: string): Promise<{ readonly document: object; readonly lines: readonly string[] }> {
  const counted = await api.get<Counted>(`/v1/runs/${run}/tables`);
  const status = await api.get<RunDocument>(`/v1/runs/${run}`);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await writeFile(join(folder, 'cells.csv'), cellsCsv(counted));
  await writeFile(join(folder, 'models.csv'), modelsCsv(counted));
  await writeFile(join(folder, 'tables.json'), `${JSON.stringify(counted, null, 2)}\n`);
  await writeFile(join(folder, 'report.html'), renderTables(counted, status));
  const told = counted.cells.filter(({ result }) => !('hidden' in result)).length;
  return { document: { folder, ...counted }, lines: [`run ${run} · ${status.outcome ?? 'running'}`, `${told} of ${counted.cells.length} cells are told`] };
}
