/** A path's value as a cell of the table: of the column's type, one or a list. */
import { type Category, primitives } from './fhir-types.ts';
import { badView, valueRefusal } from './refusal.ts';
import { bound, type Item, isName, listOf, mapped, named, numberIn, one, type Scope, type Sql, several, single, textIn, type Value } from './value.ts';
import type { ViewColumn } from './view.ts';

/** A cell, and DuckDB's type of its column. */
export interface Cell {
  readonly sql: Sql;
  readonly type: string;
}

const typesByKind = { boolean: 'BOOLEAN', number: 'DOUBLE', string: 'VARCHAR' } as const;
const typesByCategory: Readonly<Record<Category, string>> = {
  boolean: 'BOOLEAN',
  number: 'DOUBLE',
  string: 'VARCHAR',
  date: 'VARCHAR',
  dateTime: 'VARCHAR',
  time: 'VARCHAR',
};

/** DuckDB's type: the declared one, else that of the value, else text. */
function typeOf(item: Item, declared: string | undefined): string {
  const primitive = declared === undefined ? undefined : primitives.get(declared);
  if (primitive !== undefined) return primitive.column;
  if (item.kind !== 'element') return typesByKind[item.kind];
  return item.category === undefined ? 'VARCHAR' : typesByCategory[item.category];
}

/** A whole number of `type` from a DOUBLE; NULL where it has a fraction or is out of range. */
const whole = (number: Sql, type: string): Sql => `CASE WHEN ${number} = trunc(${number}) THEN TRY_CAST(${number} AS ${type}) END`;

/** A JSON value that is not NULL as `type`; NULL where it is none. */
function converted(json: Sql, type: string): Sql {
  if (type === 'VARCHAR') return `CASE WHEN NOT starts_with(${json}, '{') AND NOT starts_with(${json}, '[') THEN ${textIn(json)} END`;
  if (type === 'BOOLEAN') return `CASE ${json} WHEN 'true' THEN TRUE WHEN 'false' THEN FALSE END`;
  return type === 'DOUBLE' ? numberIn(json) : whole(numberIn(json), type);
}

function checked(scope: Scope, value: Sql, type: string, column: ViewColumn): Sql {
  const what = column.type ?? 'primitive';
  const refusal = valueRefusal(`${scope.place} (column ${column.name})`, `a value that is no ${what}`, `values of type ${what}`);
  return `CASE WHEN ${value} IS NOT NULL THEN coalesce(${converted(value, type)}, ${refusal}) END`;
}

/** The type must fit what the path computes; a number may be a whole one. */
function checkKind(scope: Scope, item: Item, type: string, column: ViewColumn): void {
  if (item.kind === 'element' || typesByKind[item.kind] === type || (item.kind === 'number' && (type === 'INTEGER' || type === 'BIGINT'))) return;
  throw badView(scope.place, `${named(item)} in the column "${column.name}" of type ${column.type}`, 'a type that fits the path');
}

/** `item` as JSON values, for conversions that start from them. */
function jsonOf(scope: Scope, item: Item): Item {
  if (item.kind === 'element') return item;
  const written = (value: Sql) => `to_json(${value})`;
  return item.many ? several(item, mapped(scope, item.sql, written)) : one(item, written(item.sql));
}

/** A cell with one value. An element directly in the resource needs no list where it is none. */
function oneCell(scope: Scope, item: Item, convert: (json: Sql) => Sql, allowed: string): Sql {
  const converted = bound(scope, [single(scope, jsonOf(scope, item), allowed)], convert);
  if (item.kind !== 'element' || item.json === undefined || !isName(item.json)) return converted;
  return `CASE WHEN starts_with(${item.json}, '[') OR ${item.json} = 'null' THEN ${converted} ELSE ${convert(item.json)} END`;
}

/** The cell of `column`. A value of another type, or more than one without `collection`, ends the statement. */
export function cellOf(scope: Scope, value: Value, column: ViewColumn): Cell {
  if (value.kind === 'resource') throw badView(scope.place, named(value), 'a path to a primitive element');
  const type = typeOf(value, column.type);
  checkKind(scope, value, type, column);
  const fits = value.kind !== 'element' && typesByKind[value.kind] === type;
  const convert = (json: Sql) => checked(scope, json, type, column);
  if (column.collection) {
    const list = fits ? listOf(scope, value) : mapped(scope, listOf(scope, jsonOf(scope, value)), convert);
    return { sql: `CAST(${list} AS ${type}[])`, type: `${type}[]` };
  }
  const allowed = 'one value, or "collection": true';
  return { sql: fits ? single(scope, value, allowed) : oneCell(scope, value, convert, allowed), type };
}
