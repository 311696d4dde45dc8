/** `binding.toml` from disk, checked: every problem at once, with its place, what was found and what is allowed. */
import { dirname, resolve } from 'node:path';
import { type PlacedProblem, schemaProblems, shown } from '../../study/index.ts';
import { datasetErrors } from '../errors.ts';
import { datasetLimits } from '../limits.ts';
import { fileText } from '../regular-file.ts';
import { parsedToml } from '../toml.ts';
import { postgresPlace } from './postgres-url.ts';
import { type BindingFile, bindingSchema, type Source, type TableBinding } from './schema.ts';
import { textFormOf } from './text-form-of.ts';

const format = 'schwarm.binding/1';

/** The sources of a table, one or several. */
export function sourcesOf({ source }: TableBinding): readonly Source[] {
  return Array.isArray(source) ? source : [source];
}

function repeated(names: readonly string[], place: string, what: string): PlacedProblem[] {
  const lower = names.map((name) => name.toLowerCase());
  const twice = [...new Set(lower.filter((name, at) => lower.indexOf(name) !== at))];
  return twice.map((name) => ({ place, found: `"${name}" twice`, allowed: `each ${what} once` }));
}

/** What a source of tables needs: one of table and query, and for PostgreSQL an address that is one. */
function databaseProblems(source: Source, place: string): PlacedProblem[] {
  if (source.kind !== 'sqlite' && source.kind !== 'postgres') return [];
  const given = [source.table, source.query].filter((text) => text !== undefined).length;
  const problems = given === 1 ? [] : [{ place, found: given === 0 ? 'neither table nor query' : 'table and query', allowed: 'one of table and query' }];
  if (source.kind === 'sqlite') return problems;
  const checked = postgresPlace(source.url);
  if ('problem' in checked) problems.push({ place: `${place}.url`, ...checked.problem });
  if (source.certificate !== undefined && source.tls === 'off')
    problems.push({ place: `${place}.tls`, found: '"off" beside a certificate', allowed: '"verify"' });
  return problems;
}

/** Signs and words that mean two things. */
function formProblems(source: Source, place: string): PlacedProblem[] {
  const { decimal, thousands, trueWords = [], falseWords = [] } = textFormOf(source);
  const signs =
    thousands !== undefined && thousands === (decimal ?? '.')
      ? [{ place: `${place}.thousands`, found: shown(thousands), allowed: 'another sign than that of decimals' }]
      : [];
  const lower = falseWords.map((word) => word.toLowerCase());
  const both = trueWords.filter((word) => lower.includes(word.toLowerCase()));
  return [
    ...signs,
    ...both.map((word) => ({ place: `${place}.falseWords`, found: `${shown(word)}, which is in trueWords`, allowed: 'each word in one of the two' })),
  ];
}

function tableProblems(table: TableBinding, at: number): PlacedProblem[] {
  const place = `table[${at + 1}]`;
  const sources = sourcesOf(table);
  const within = Array.isArray(table.source) ? (index: number) => `${place}.source[${index + 1}]` : () => `${place}.source`;
  const problems = sources.flatMap((source, index) => [...databaseProblems(source, within(index)), ...formProblems(source, within(index))]);
  if (sources.length > 1 && table.sql === undefined)
    problems.push({
      place: `${place}.sql`,
      found: 'nothing',
      allowed: 'a SELECT that makes one table of several sources; files of one form go into one source, as a list of paths',
    });
  if (table.sql === undefined && sources.some(({ types }) => types !== undefined))
    problems.push({
      place: `${place}.source.types`,
      found: 'types without sql',
      allowed: 'types where a SELECT of the site needs them; studies declare their own',
    });
  problems.push(
    ...repeated(
      sources.map(({ name }) => name),
      `${place}.source`,
      'name',
    ),
  );
  return problems;
}

function crossProblems({ table }: BindingFile): PlacedProblem[] {
  const names = table.map(({ name }) => name);
  return [...repeated(names, 'table', 'table'), ...table.flatMap(tableProblems)];
}

/** Paths are as seen from the folder of the binding file. */
function absolute(source: Source, folder: string): Source {
  const from = (path: string) => resolve(folder, path);
  switch (source.kind) {
    case 'csv':
    case 'parquet':
      return { ...source, path: Array.isArray(source.path) ? source.path.map(from) : from(source.path) };
    case 'sqlite':
    case 'excel':
      return { ...source, path: from(source.path) };
    case 'postgres':
      return {
        ...source,
        ...(source.passwordFile === undefined ? {} : { passwordFile: from(source.passwordFile) }),
        ...(source.certificate === undefined ? {} : { certificate: from(source.certificate) }),
      };
    case 'fhir':
      return { ...source, folder: from(source.folder), view: from(source.view) };
  }
}

/** The binding file at `path`, its paths made absolute. Throws DATASET_UNREADABLE_FILE, DATASET_BAD_TOML, or DATASET_BINDING_INVALID with every problem. */
export async function readBindingFile(path: string): Promise<BindingFile> {
  const root = parsedToml(await fileText(path, datasetLimits.bindingSizeBytes), path);
  const checked = bindingSchema.safeParse(root);
  const problems = checked.success ? crossProblems(checked.data) : schemaProblems(checked.error, root, format);
  if (!checked.success || problems.length > 0)
    throw datasetErrors.DATASET_BINDING_INVALID({ path, problems: problems.slice(0, datasetLimits.bindingProblems) });
  const folder = dirname(path);
  const table = checked.data.table.map((one) => ({
    ...one,
    source: Array.isArray(one.source) ? one.source.map((source) => absolute(source, folder)) : absolute(one.source, folder),
  }));
  return { ...checked.data, table };
}
