/**
 * Dates, dateTimes and times, which FHIR writes with the precision that is known. Each is the interval that it covers, in microseconds; two of them
 * compare as far as their intervals say, else not at all (FHIRPath 2.0, sections 6.1 and 6.2). Seconds are the finest precision that counts.
 * A dateTime without a zone, and a date, is taken as in UTC.
 */
import type { ComparisonOperator } from './ast.ts';
import { valueRefusal } from './refusal.ts';
import { bound, numberIn, type Scope, type Sql, textIn } from './value.ts';

const clock = String.raw`\d{2}:\d{2}:\d{2}(\.\d+)?`;
const zone = String.raw`(Z|[+-]\d{2}:\d{2})`;
const dateTimePattern = String.raw`\d{4}(-\d{2}(-\d{2}(T${clock}${zone}?)?)?)?`;

/** Whether `text`, a name, is written as a date or dateTime. */
export function isMoment(text: Sql): Sql {
  return `regexp_full_match(${text}, '${dateTimePattern}')`;
}

/** `text`, a name, completed to its first instant in UTC or its own zone. */
function firstInstant(text: Sql): Sql {
  const completed = `CASE length(${text}) WHEN 4 THEN ${text} || '-01-01T00:00:00Z' WHEN 7 THEN ${text} || '-01T00:00:00Z' WHEN 10 THEN ${text} || 'T00:00:00Z' END`;
  return `coalesce(${completed}, CASE WHEN regexp_matches(${text}, '${zone}$') THEN ${text} ELSE ${text} || 'Z' END)`;
}

/** First and last microsecond of `text`, a name; NULL where it is no date or dateTime. */
function bounds(text: Sql): { readonly low: Sql; readonly high: Sql } {
  const low = `CASE WHEN ${isMoment(text)} THEN epoch_us(TRY_CAST(${firstInstant(text)} AS TIMESTAMPTZ)) END`;
  const next = (length: number, interval: string) =>
    `WHEN ${length} THEN epoch_us(TRY_CAST(${text} || '${'-01-01'.slice(length - 4)}' AS TIMESTAMP) + INTERVAL 1 ${interval}) - 1`;
  const high = `CASE length(${text}) ${next(4, 'YEAR')} ${next(7, 'MONTH')} ${next(10, 'DAY')} ELSE ${low} END`;
  return { low, high };
}

/** The same for a time of day, which is always written to the second. */
function timeBounds(text: Sql): { readonly low: Sql; readonly high: Sql } {
  const low = `CASE WHEN regexp_full_match(${text}, '${clock}') THEN epoch_us(TRY_CAST('1970-01-01 ' || ${text} AS TIMESTAMP)) END`;
  return { low, high: low };
}

type Names = readonly [lowA: Sql, highA: Sql, lowB: Sql, highB: Sql];

/** True, false, or NULL where precision leaves it open. */
function judged(operator: ComparisonOperator, [lowA, highA, lowB, highB]: Names): Sql {
  const same = `(${lowA} = ${lowB} AND ${highA} = ${highB})`;
  switch (operator) {
    case '=':
      return `CASE WHEN ${same} THEN TRUE WHEN ${highA} < ${lowB} OR ${lowA} > ${highB} THEN FALSE END`;
    case '!=':
      return `(NOT ${judged('=', [lowA, highA, lowB, highB])})`;
    case '<':
      return `CASE WHEN ${highA} < ${lowB} THEN TRUE WHEN ${lowA} > ${highB} OR ${same} THEN FALSE END`;
    case '<=':
      return `CASE WHEN ${highA} < ${lowB} OR ${same} THEN TRUE WHEN ${lowA} > ${highB} THEN FALSE END`;
    case '>':
      return judged('<', [lowB, highB, lowA, highA]);
    case '>=':
      return judged('<=', [lowB, highB, lowA, highA]);
  }
}

/** Compares two JSON values, each a date or dateTime, or with `time` a time of day. Anything else in their place ends the statement. */
export function momentsCompared(scope: Scope, operator: ComparisonOperator, parts: readonly [Sql, Sql], time: boolean): Sql {
  const what = time ? 'time of day' : 'date or dateTime';
  const refusal = valueRefusal(scope.place, `something that is no ${what}`, `a ${what}, such as ${time ? '08:30:00' : '2024-05 or 2024-05-01T08:30:00+02:00'}`);
  const intervals = (a: Sql, b: Sql): readonly Sql[] =>
    [a, b].flatMap((text) => {
      const { low, high } = time ? timeBounds(text) : bounds(text);
      return [`CASE WHEN ${text} IS NOT NULL THEN coalesce(${low}, ${refusal}) END`, high];
    });
  return bound(
    scope,
    parts.map((json) => textIn(json)),
    (a = '', b = '') => bound(scope, intervals(a, b), (...[lowA = '', highA = '', lowB = '', highB = '']) => judged(operator, [lowA, highA, lowB, highB])),
  );
}

const endings = {
  low: { month: `'-01'`, time: 'T00:00:00.000', fill: '0', zone: '+14:00' },
  high: { month: `'-12'`, time: 'T23:59:59.999', fill: '9', zone: '-12:00' },
} as const;

/** The clock part of `text` to the millisecond: a fraction that is there is filled up. */
function filledFraction(fraction: Sql, fill: '0' | '9'): Sql {
  return `rpad('.' || ltrim(${fraction}, '.'), CAST(greatest(4, length(${fraction})) AS INTEGER), '${fill}')`;
}

/** First or last date, dateTime or time that the JSON string `json`, a name, can mean (FHIRPath 2.0, lowBoundary and highBoundary), as JSON. */
export function momentBoundary(scope: Scope, json: Sql, end: 'low' | 'high', category: 'date' | 'dateTime' | 'time' | undefined): Sql {
  const { month, time, fill, zone: outermost } = endings[end];
  return bound(scope, [textIn(json)], (text) => {
    const withMonth = `CASE WHEN length(${text}) = 4 THEN ${text} || ${month} ELSE ${text} END`;
    const day =
      end === 'low'
        ? `left(${withMonth} || '-01', 10)`
        : `CASE WHEN length(${text}) >= 10 THEN left(${text}, 10) ELSE CAST(last_day(TRY_CAST(${withMonth} || '-01' AS DATE)) AS VARCHAR) END`;
    const part = (group: number) => `regexp_extract(${text}, '^(.*\\d{2}:\\d{2}:\\d{2})(\\.\\d+)?${zone}?$', ${group})`;
    const precise = `${part(1)} || ${filledFraction(part(2), fill)}`;
    const zoned = `${precise} || coalesce(nullif(${part(3)}, ''), '${outermost}')`;
    const whole = category === 'dateTime' ? `${day} || '${time}${outermost}'` : day;
    const dated = `CASE WHEN contains(${text}, 'T') THEN ${category === 'date' ? day : zoned} ELSE ${whole} END`;
    const isTime = `regexp_full_match(${text}, '${clock}')`;
    const refusal = valueRefusal(scope.place, 'something that is no date, dateTime or time', 'one of them');
    return `to_json(CASE WHEN ${isTime} THEN ${precise} WHEN ${isMoment(text)} THEN ${dated} ELSE ${refusal} END)`;
  });
}

/** Least or greatest decimal that rounds to the JSON number `json`, a name, as it is written: half a unit of its last digit away, as JSON. */
export function decimalBoundary(scope: Scope, json: Sql, end: 'low' | 'high'): Sql {
  const text = `CAST(${json} AS VARCHAR)`;
  const refusal = valueRefusal(scope.place, 'something that is no decimal, date, dateTime or time', 'one of them');
  const exponent = `coalesce(TRY_CAST(nullif(regexp_extract(${text}, '[eE](.+)$', 1), '') AS INTEGER), 0)`;
  const digits = `(length(regexp_extract(${text}, '\\.(\\d+)', 1)) - ${exponent})`;
  return `to_json(round(coalesce(${numberIn(json)}, ${refusal}) ${end === 'low' ? '-' : '+'} 0.5 * pow(10, -${digits}), CAST(${digits} + 1 AS INTEGER)))`;
}
