/** What the schema cannot see in a record. */
import type { PlacedProblem } from '../../study/index.ts';
import type { DatasetRecord, RecordedColumn, RecordedTable } from './schema.ts';

function repeated(names: readonly string[], place: string, what: string): PlacedProblem[] {
  const lower = names.map((name) => name.toLowerCase());
  const twice = [...new Set(lower.filter((name, at) => lower.indexOf(name) !== at))];
  return twice.map((name) => ({ place, found: `"${name}" twice`, allowed: `each ${what} once` }));
}

function rangeProblems({ datatype, minimum, maximum, from, to, values, references, key }: RecordedColumn, place: string): PlacedProblem[] {
  const isNumber = datatype === 'integer' || datatype === 'number';
  const isListed = values !== undefined || references !== undefined || key;
  return [
    ...(isNumber && !isListed && (minimum === undefined || maximum === undefined)
      ? [{ place, found: 'no range', allowed: 'minimum and maximum, values, or references' }]
      : []),
    ...(minimum !== undefined && maximum !== undefined && minimum > maximum
      ? [{ place, found: `minimum ${minimum}, maximum ${maximum}`, allowed: 'the smaller number first' }]
      : []),
    ...(!isNumber && (minimum !== undefined || maximum !== undefined)
      ? [{ place, found: `a range on a ${datatype}`, allowed: 'minimum and maximum on integer and number; from and to on date' }]
      : []),
    ...(datatype === 'date' && !isListed && (from === undefined || to === undefined || from > to)
      ? [{ place, found: `from ${from ?? 'nothing'} to ${to ?? 'nothing'}`, allowed: 'from and to, the earlier one first' }]
      : []),
  ];
}

function shapeProblems({ deciles, values, datatype, minimum, maximum }: RecordedColumn, place: string): PlacedProblem[] {
  const shares = (values ?? []).reduce((sum, { share = 0 }) => sum + share, 0);
  const outside = deciles?.some((point, at) => (at > 0 && point < (deciles[at - 1] ?? point)) || point < (minimum ?? point) || point > (maximum ?? point));
  return [
    ...(shares > 1 + 1e-9 ? [{ place, found: `shares that add up to ${shares}`, allowed: 'at most 1' }] : []),
    ...(outside ? [{ place, found: 'deciles out of order or range', allowed: 'ascending numbers from minimum to maximum' }] : []),
    ...(deciles && datatype !== 'integer' && datatype !== 'number'
      ? [{ place, found: `deciles on a ${datatype}`, allowed: 'deciles on integer and number' }]
      : []),
  ];
}

function linkProblems(record: DatasetRecord, table: RecordedTable, column: RecordedColumn, place: string): PlacedProblem[] {
  const [to, of] = column.references?.split('.') ?? [];
  const at = record.table.indexOf(table);
  const target = record.table.find(({ name }, index) => name === to && index < at)?.column.find(({ name }) => name === of);
  const earlier = table.column.find(({ name }) => name === column.notBefore);
  return [
    ...(column.references !== undefined && !target?.key ? [{ place, found: `references "${column.references}"`, allowed: 'a key of a table above' }] : []),
    ...(column.notBefore !== undefined && (earlier?.datatype !== 'date' || table.column.indexOf(earlier) >= table.column.indexOf(column))
      ? [{ place, found: `notBefore "${column.notBefore}"`, allowed: 'a date column above in the same table' }]
      : []),
  ];
}

function togetherProblems(table: RecordedTable): PlacedProblem[] {
  return table.together.flatMap(({ columns: [first, second] }, index) => {
    const places = [first, second].map((wanted) => table.column.findIndex(({ name }) => name === wanted));
    const [a = -1, b = -1] = places;
    const isWrong = a < 0 || b < 0 || a >= b;
    return isWrong
      ? [{ place: `table "${table.name}".together[${index + 1}]`, found: `"${first}" and "${second}"`, allowed: 'two columns of the table in their order' }]
      : [];
  });
}

/** All that is wrong in a record of the right shape. */
export function recordProblems(record: DatasetRecord): readonly PlacedProblem[] {
  return [
    ...repeated(
      record.table.map(({ name }) => name),
      'table',
      'table',
    ),
    ...record.table.flatMap((table) => [
      ...repeated(
        table.column.map(({ name }) => name),
        `table "${table.name}"`,
        'column',
      ),
      ...togetherProblems(table),
      ...table.column.flatMap((column) => {
        const place = `table "${table.name}", column "${column.name}"`;
        return [...rangeProblems(column, place), ...shapeProblems(column, place), ...linkProblems(record, table, column, place)];
      }),
    ]),
    ...(!record.held && record.route === undefined
      ? [{ place: 'route', found: 'nothing', allowed: 'how to come by a source that this member does not hold' }]
      : []),
  ];
}
