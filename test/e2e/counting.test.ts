/** A study that counts, from the command to its files: the numbers are those of a script that sees all rows in one place. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Counted } from '../../src/peer/index.ts';
import { Demo, project } from '../support/demo.ts';

interface Expected {
  readonly cells: readonly {
    readonly sex?: number;
    readonly cp?: number;
    readonly rows: number;
    readonly age: Described;
    readonly heart_rate: Described;
    readonly disease: Described;
  }[];
  readonly models: Readonly<Record<string, readonly { readonly estimate: number; readonly standardError: number }[]>>;
}

interface Described {
  readonly rows: number;
  readonly mean: number;
  readonly sd: number;
  readonly quantiles: readonly number[];
}

const home = mkdtempSync(join(tmpdir(), 'schwarm-counting-'));
const expected: Expected = JSON.parse(execFileSync(process.execPath, [join(project, 'deploy/studies/heart-counts/expected.mjs')], { encoding: 'utf8' }));
let counted: Counted;
let folder: string;

beforeAll(async () => {
  await using running = new Demo({ args: ['heart-counts'], folder: join(home, 'demo') });
  const { code, document, log } = await running.ended;
  if (code !== 0 || !document) throw new Error(log);
  folder = document.folder;
  counted = JSON.parse(readFileSync(join(folder, 'tables.json'), 'utf8'));
  const held = document.members.map(({ modelSha256 }) => modelSha256);
  expect(new Set([...held, (document.ledger as { finalStateSha256?: string }).finalStateSha256]).size, 'one state at four members and on the ledger').toBe(1);
}, 180_000);
afterAll(() => rmSync(home, { recursive: true, force: true }));

test('every cell has the rows of all four hospitals, exactly', () => {
  expect(counted.cells.map(({ result }) => 'rows' in result && result.rows)).toEqual(expected.cells.map(({ rows }) => rows));
  expect(counted.cells.map(({ place }) => place.map(({ value }) => value))).toEqual(
    expected.cells.map(({ sex, cp }) => [sex, cp].filter((value) => value !== undefined)),
  );
});

test('means and standard deviations agree to ten digits, quantiles to within one part of the range', () => {
  counted.cells.forEach(({ result }, at) => {
    const told = 'variables' in result ? result.variables : [];
    const wanted = expected.cells[at];
    for (const [place, name] of (['age', 'heart_rate'] as const).entries()) {
      expect(told[place]?.rows).toBe(wanted?.[name].rows);
      expect(told[place]?.mean).toBeCloseTo(wanted?.[name].mean ?? Number.NaN, 9);
      expect(told[place]?.sd).toBeCloseTo(wanted?.[name].sd ?? Number.NaN, 9);
    }
    told[0]?.quantiles.forEach((part, which) => {
      if (!part) return;
      const exact = wanted?.age.quantiles[which] ?? Number.NaN;
      expect(exact).toBeGreaterThanOrEqual(part.from);
      expect(exact).toBeLessThanOrEqual(part.to);
    });
  });
});

test('how many have the disease is told but where it would be about one woman, or follow from the others', () => {
  const means = counted.cells.map(({ result }) => ('variables' in result ? result.variables[2]?.mean : undefined));
  const [typical, atypical] = expected.cells.filter(({ sex, cp }) => sex === 0 && (cp === 1 || cp === 2));
  expect([typical, atypical].map((cell) => Math.round((cell?.disease.mean ?? 0) * (cell?.disease.rows ?? 0)))).toEqual([1, 4]);
  const hidden = counted.cells.flatMap(({ place }, at) => (means[at] === undefined || means[at] === null ? [place.map(({ label }) => label).join(', ')] : []));
  expect(hidden).toEqual(['women, typical angina', 'women, atypical angina', 'women, non-anginal pain']);
  means.forEach((mean, at) => {
    if (typeof mean === 'number') expect(mean).toBeCloseTo(expected.cells[at]?.disease.mean ?? Number.NaN, 12);
  });
});

test('regressions agree to a millionth', () => {
  for (const { name, result } of counted.models) {
    if ('hidden' in result) throw new Error(result.hidden);
    expect(result.converged).toBe(true);
    result.estimates.forEach(({ estimate, standardError }, at) => {
      const wanted = expected.models[name]?.[at];
      expect(Math.abs(estimate / (wanted?.estimate ?? 0) - 1), `${name} ${at}`).toBeLessThan(1e-6);
      expect(Math.abs(standardError / (wanted?.standardError ?? 0) - 1), `${name} ${at}`).toBeLessThan(1e-6);
    });
  }
});

test('the folder has a report without scripts and tables that a spreadsheet opens', () => {
  const report = readFileSync(join(folder, 'report.html'), 'utf8');
  expect(report).not.toMatch(/<script|http:|https:/);
  for (const words of ['women › no pain', 'What these numbers do not say', 'ecological fallacy', 'Persons are not linked']) expect(report).toContain(words);
  const [head, ...lines] = readFileSync(join(folder, 'cells.csv'), 'utf8').trim().split('\n');
  expect(head).toMatch(/^"sex","cp","units","rows","share","share_low","share_high","percentile","hidden","age_rows"/);
  expect(lines).toHaveLength(expected.cells.length);
  expect(readFileSync(join(folder, 'models.csv'), 'utf8').trim().split('\n')).toHaveLength(1 + 4 + 3);
});

test('a seed is refused: nothing is drawn', async () => {
  await using running = new Demo({ args: ['heart-counts', '--seed', '3'], folder: join(home, 'other') });
  const { code, log } = await running.ended;
  expect(code).toBe(2);
  expect(log).toMatch(/draws nothing: leave out --seed/);
});
