/** What the schema cannot see in the tables that a study asks for, whatever its kind. */
import type { StudyProblem } from './errors.ts';
import type { StudyTable } from './shared-manifest.ts';

const file = 'study.toml';

/** A problem for each name that stands twice. */
export function repeated(names: readonly string[], place: string, what: string): StudyProblem[] {
  const twice = [...new Set(names.filter((name, at) => names.indexOf(name) !== at))];
  return twice.map((name) => ({ file, place, found: `"${name}" twice`, allowed: `each ${what} once` }));
}

/** The smaller number of a range first, ranges on numbers only, each name once. */
export function tableProblems(tables: readonly StudyTable[]): StudyProblem[] {
  const lower = (names: readonly { readonly name: string }[]): readonly string[] => names.map(({ name }) => name.toLowerCase());
  return [
    ...repeated(lower(tables), 'table', 'table'),
    ...tables.flatMap(({ name, column }) => repeated(lower(column), `table "${name}"`, 'column')),
    ...tables.flatMap(orderProblems),
    ...tables.flatMap(boundProblems),
  ];
}

function orderProblems({ name, column }: StudyTable): StudyProblem[] {
  return column
    .filter((c) => c.minimum !== undefined && c.maximum !== undefined && c.minimum > c.maximum)
    .map((c) => ({
      file,
      place: `table "${name}", column "${c.name}"`,
      found: `minimum ${c.minimum}, maximum ${c.maximum}`,
      allowed: 'the smaller number first',
    }));
}

function boundProblems({ name, column }: StudyTable): StudyProblem[] {
  return column
    .filter((c) => (c.minimum !== undefined || c.maximum !== undefined) && c.datatype !== 'integer' && c.datatype !== 'number')
    .map((c) => ({
      file,
      place: `table "${name}", column "${c.name}"`,
      found: `a range on a ${c.datatype}`,
      allowed: 'minimum and maximum only on integer and number',
    }));
}
