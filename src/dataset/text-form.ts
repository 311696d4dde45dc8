/** How numbers, dates, booleans and missing values are written in text cells: declared by the site, never guessed. Expressions of SQL come out of it. */
import type { StudyColumn } from '../study/index.ts';
import { quotedName, quotedText } from './sql.ts';

/** The form of text cells. What is left out is as in English CSV: `1234.5`, `2024-12-31`, `true`, an empty cell. */
export interface TextForm {
  readonly decimal?: '.' | ',' | undefined;
  /** Sign between groups of three digits; where it is left out, no number has one. */
  readonly thousands?: '.' | ',' | ' ' | "'" | undefined;
  /** `dd.mm.yyyy` and the like. */
  readonly dateFormat?: string | undefined;
  /** Words for true and false, in upper or lower case. */
  readonly trueWords?: readonly string[] | undefined;
  readonly falseWords?: readonly string[] | undefined;
  /** Cells that stand for no value, in every column, and in single ones. */
  readonly missing?: readonly string[] | undefined;
  readonly missingIn?: Readonly<Record<string, readonly string[]>> | undefined;
}

export const sqlTypes = { string: 'VARCHAR', integer: 'BIGINT', number: 'DOUBLE', boolean: 'BOOLEAN', date: 'DATE' } as const;

type Datatype = StudyColumn['datatype'];

const dateParts: readonly (readonly [written: string, strptime: string])[] = [
  ['yyyy', '%Y'],
  ['yy', '%y'],
  ['mm', '%m'],
  ['dd', '%d'],
  ['m', '%-m'],
  ['d', '%-d'],
];

/** `dd.mm.yyyy` as strptime writes it; undefined where it is no date format with day, month and year. */
export function strptimeFormat(dateFormat: string): string | undefined {
  let rest = dateFormat;
  let format = '';
  const seen = new Set<string>();
  while (rest !== '') {
    const part = dateParts.find(([written]) => rest.startsWith(written));
    if (part === undefined && !/^[./ -]/.test(rest)) return undefined;
    if (part !== undefined && seen.has(part[0].charAt(0))) return undefined;
    if (part !== undefined) seen.add(part[0].charAt(0));
    format += part?.[1] ?? rest.charAt(0);
    rest = rest.slice(part?.[0].length ?? 1);
  }
  return seen.size === 3 ? format : undefined;
}

function listOf(texts: readonly string[]): string {
  return texts.map(quotedText).join(', ');
}

/** The codes that stand for no value in `column`. */
export function missingCodes({ missing = [], missingIn = {} }: TextForm, column: string): readonly string[] {
  const own = Object.entries(missingIn).flatMap(([name, codes]) => (name.toLowerCase() === column.toLowerCase() ? codes : []));
  return [...new Set([...missing, ...own])];
}

/** The text cell `raw`, NULL where it is empty or holds a code for a missing value. */
export function presentText(form: TextForm, column: string, raw: string): string {
  const codes = missingCodes(form, column);
  return codes.length === 0 ? `nullif(${raw}, '')` : `(CASE WHEN trim(${raw}) NOT IN ('', ${listOf(codes)}) THEN ${raw} END)`;
}

/** Digits in groups of three or in none; where there are groups, each has its sign. */
function grouped(raw: string, thousands: string, decimal: string): string {
  const [t, d] = [thousands, decimal].map((sign) => `[${sign}]`);
  const whole = `^[+-]?([0-9]{1,3}(${t}[0-9]{3})+|[0-9]+)(${d}[0-9]*)?$`;
  return `(CASE WHEN regexp_full_match(trim(${raw}), ${quotedText(whole)}) THEN replace(trim(${raw}), ${quotedText(thousands)}, '') END)`;
}

/** The text `raw` as a number in DuckDB's writing, NULL or no number where the form does not fit. */
function plainNumber({ decimal = '.', thousands }: TextForm, raw: string): string {
  const digits = thousands === undefined ? raw : grouped(raw, thousands, decimal);
  // A point in a number with a decimal comma is no number: it is turned into something that is none.
  return decimal === ',' ? `translate(${digits}, ${thousands === undefined ? "',.', '.x'" : "',', '.'"})` : digits;
}

/** A text as its declared type, NULL where it is none. `1.0` is an integer, `1.5` is not. */
export function typedText(form: TextForm, datatype: Datatype, raw: string): string {
  if (datatype === 'string') return raw;
  if (datatype === 'boolean') return booleanOf(form, raw);
  if (datatype === 'date') {
    const format = form.dateFormat === undefined ? undefined : strptimeFormat(form.dateFormat);
    return format === undefined ? `TRY_CAST(${raw} AS DATE)` : `CAST(try_strptime(trim(${raw}), ${quotedText(format)}) AS DATE)`;
  }
  const real = `TRY_CAST(${plainNumber(form, raw)} AS DOUBLE)`;
  return datatype === 'integer' ? wholeNumber(real) : real;
}

function wholeNumber(real: string): string {
  return `(CASE WHEN ${real} = trunc(${real}) THEN TRY_CAST(${real} AS BIGINT) END)`;
}

function booleanOf({ trueWords = [], falseWords = [] }: TextForm, raw: string): string {
  if (trueWords.length + falseWords.length === 0) return `TRY_CAST(${raw} AS BOOLEAN)`;
  const among = (words: readonly string[]) => (words.length === 0 ? 'FALSE' : `lower(trim(${raw})) IN (${listOf(words.map((word) => word.toLowerCase()))})`);
  return `(CASE WHEN ${among(trueWords)} THEN TRUE WHEN ${among(falseWords)} THEN FALSE END)`;
}

const wholeTypes = /^(U?(TINY|SMALL|BIG|HUGE)INT|U?INTEGER|BOOLEAN)$/;

/** A column of DuckDB type `sqlType` as present values: for text without its missing codes. */
export function presentValue(form: TextForm, column: string, sqlType: string): string {
  return sqlType === 'VARCHAR' ? presentText(form, column, quotedName(column)) : quotedName(column);
}

/** The present value `raw` of DuckDB type `sqlType` as `datatype`, NULL where it is none. */
export function typedValue(form: TextForm, datatype: Datatype, raw: string, sqlType: string): string {
  if (sqlType === 'VARCHAR') return typedText(form, datatype, raw);
  if (datatype === 'string') return `CAST(${raw} AS VARCHAR)`;
  if (datatype === 'integer') return wholeTypes.test(sqlType) ? `TRY_CAST(${raw} AS BIGINT)` : wholeNumber(`TRY_CAST(${raw} AS DOUBLE)`);
  return `TRY_CAST(${raw} AS ${sqlTypes[datatype]})`;
}
