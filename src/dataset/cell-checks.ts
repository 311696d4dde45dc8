/** What a study asks of each declared column, as conditions of SQL over its cells. */
import type { StudyColumn } from '../study/index.ts';
import type { ProblemCode } from './report.ts';
import { quotedText } from './sql.ts';

/** A condition under which a cell is a problem, and what to say about it. */
export interface CellCheck {
  readonly code: ProblemCode;
  readonly when: string;
  readonly says: string;
  readonly allowed: string;
}

/** A cell as the file has it, NULL where it has none, and as its declared type, NULL where it is none. */
export interface Cell {
  readonly present: string;
  readonly typed: string;
}

function listOf(column: StudyColumn): string {
  return (column.values ?? [])
    .map((value) => (column.datatype === 'string' || typeof value === 'string' ? quotedText(String(value)) : String(value)))
    .join(', ');
}

function rangeCheck({ datatype, minimum, maximum }: StudyColumn, typed: string): readonly CellCheck[] {
  const bounds = [...(minimum === undefined ? [] : [`${typed} < ${minimum}`]), ...(maximum === undefined ? [] : [`${typed} > ${maximum}`])];
  if (bounds.length === 0) return [];
  const when = `${datatype === 'number' ? `isfinite(${typed}) AND ` : ''}(${bounds.join(' OR ')})`;
  return [{ code: 'DATASET_OUT_OF_RANGE', when, says: 'values out of range', allowed: `${minimum ?? 'any'} to ${maximum ?? 'any'}` }];
}

/** All conditions on the cells of `column`. */
export function checksOf(column: StudyColumn, { present, typed }: Cell): readonly CellCheck[] {
  const { datatype, required, values } = column;
  const checks: CellCheck[] = [];
  if (required) checks.push({ code: 'DATASET_EMPTY_CELLS', when: `${present} IS NULL`, says: 'empty cells', allowed: 'a value in each row' });
  if (datatype !== 'string')
    checks.push({
      code: 'DATASET_WRONG_TYPE',
      when: `${present} IS NOT NULL AND ${typed} IS NULL`,
      says: `values that are no ${datatype}`,
      allowed: datatype,
    });
  if (datatype === 'number')
    checks.push({
      code: 'DATASET_NOT_FINITE',
      when: `NOT isfinite(${typed})`,
      says: 'values that are NaN or infinite',
      allowed: 'finite numbers, or an empty cell',
    });
  checks.push(...rangeCheck(column, typed));
  if (values !== undefined)
    checks.push({ code: 'DATASET_OUT_OF_RANGE', when: `${typed} NOT IN (${listOf(column)})`, says: 'other values', allowed: values.join(', ') });
  return checks;
}
