/**
 * What a part of a path is in SQL. Resources are read as JSON: the same element may be one object at one member and a list at another, and neither the
 * view nor DuckDB says which. So an element is always a list of JSON values, empty where it is absent, and a list within a list is flattened, as
 * FHIRPath's collections are. A scalar is NULL where FHIRPath's collection is empty; SQL's three-valued logic is then FHIRPath's.
 */
import { quotedText } from '../sql.ts';
import type { Category } from './fhir-types.ts';
import { valueRefusal } from './refusal.ts';

/** A piece of SQL. Names and texts of a view are in it only as `quotedName` and `quotedText` made them. */
export type Sql = string;

/**
 * `many`: SQL is a list without NULL (else a scalar, NULL for none). An `element` is JSON; `category` is known where the path says the type, and
 * `plain` says that there is no choice element (`value[x]`) in it, nor below, but for extensions.
 * `json`, where it is there, is the JSON value whose items the list has: cheap to repeat, for comparisons that need no list where it is none.
 * What is `fixed` stands in the view itself: never NULL, and cheap to repeat.
 * The `resource` itself is no value in SQL: its elements are columns; `kept` is the condition under which it is still there.
 */
export type Value =
  | { readonly kind: 'resource'; readonly kept: Sql | undefined }
  | {
      readonly kind: 'element';
      readonly many: boolean;
      readonly sql: Sql;
      readonly category: Category | undefined;
      readonly plain: boolean;
      readonly json?: Sql;
    }
  | { readonly kind: 'boolean' | 'number' | 'string'; readonly many: boolean; readonly sql: Sql; readonly fixed?: true };
/** All but the resource itself. */
export type Item = Exclude<Value, { readonly kind: 'resource' }>;

/** What all paths of one view share. */
export interface Compilation {
  readonly resource: string;
  readonly constants: ReadonlyMap<string, Item>;
  /** The column that holds the resource's element of that name, as JSON. */
  readonly field: (name: string, place: string) => Sql;
  /** A name for a lambda's parameter that nothing else in the statement has. */
  readonly variable: () => Sql;
}

/** Where a path stands: what its first step starts from, and what `%rowIndex` is there. */
export interface Scope {
  readonly compilation: Compilation;
  readonly place: string;
  readonly focus: Value;
  readonly rowIndex: Sql;
  /** How many criteria this one is within. */
  readonly criteria: number;
  /** What the column declares, for functions that must tell a date from a dateTime. */
  readonly expected: Category | undefined;
}

/** Evaluates `body` with each of `parts` computed once, under a name of its own. */
export function bound(scope: Scope, parts: readonly Sql[], body: (...names: readonly Sql[]) => Sql): Sql {
  const variable = scope.compilation.variable();
  const [only, ...others] = parts;
  if (only !== undefined && others.length === 0) return `list_transform([${only}], lambda ${variable}: ${body(variable)})[1]`;
  const packed = parts.map((part, at) => `p${at} := ${part}`).join(', ');
  return `list_transform([struct_pack(${packed})], lambda ${variable}: ${body(...parts.map((_, at) => `${variable}.p${at}`))})[1]`;
}

/** `list` with each of its values put through `body`. */
export function mapped(scope: Scope, list: Sql, body: (item: Sql) => Sql): Sql {
  const variable = scope.compilation.variable();
  return `list_transform(${list}, lambda ${variable}: ${body(variable)})`;
}

/** The values of `list` for which `body` is true. */
export function filtered(scope: Scope, list: Sql, body: (item: Sql) => Sql): Sql {
  const variable = scope.compilation.variable();
  return `list_filter(${list}, lambda ${variable}: ${body(variable)})`;
}

/** The items of one JSON value, which must be a mere name: those of a list, else itself; none for NULL and JSON's null, within a list as well. */
function itemsOf(scope: Scope, name: Sql): Sql {
  const items = filtered(scope, `from_json(${name}, '["JSON"]')`, (item) => `${item} IS NOT NULL AND ${item} <> 'null'`);
  return `CASE WHEN ${name} IS NULL OR ${name} = 'null' THEN [] WHEN starts_with(${name}, '[') THEN ${items} ELSE [${name}] END`;
}

/** Whether `sql` is a column or a lambda's parameter, and so costs nothing to repeat. */
export function isName(sql: Sql): boolean {
  return /^[a-z][a-z0-9.]*$/.test(sql);
}

/** The items of one JSON value. */
export function itemsIn(scope: Scope, json: Sql): Sql {
  return isName(json) ? `(${itemsOf(scope, json)})` : bound(scope, [json], (value) => itemsOf(scope, value));
}

/** The items of each JSON value of `list`, in one list. */
export function flattened(scope: Scope, list: Sql): Sql {
  return `flatten(${mapped(scope, list, (value) => itemsOf(scope, value))})`;
}

/** `value` as a list: of one where it is a scalar, and empty for NULL. */
export function listOf(scope: Scope, { many, sql }: Item): Sql {
  return many ? sql : filtered(scope, `[${sql}]`, (item) => `${item} IS NOT NULL`);
}

/** The one value of a list, NULL for none; more than one ends the statement. */
export function single(scope: Scope, { many, sql }: Item, allowed = 'one; take .first(), an index or .where()'): Sql {
  if (!many) return sql;
  return bound(scope, [sql], (list) => `CASE WHEN len(${list}) > 1 THEN ${valueRefusal(scope.place, 'more than one value', allowed)} ELSE ${list}[1] END`);
}

/** `item` with other SQL: what was known of the list as a whole does not hold for it. */
function replaced(item: Item, many: boolean, sql: Sql): Item {
  return item.kind === 'element' ? { kind: item.kind, many, sql, category: item.category, plain: item.plain } : { kind: item.kind, many, sql };
}

/** A scalar of the kind of `item`. */
export function one(item: Item, sql: Sql): Item {
  return replaced(item, false, sql);
}

/** A list of the kind of `item`. */
export function several(item: Item, sql: Sql): Item {
  return replaced(item, true, sql);
}

/** A JSON value as a number; NULL where it is none. */
export function numberIn(json: Sql): Sql {
  return `TRY_CAST(CAST(${json} AS VARCHAR) AS DOUBLE)`;
}

/** A JSON string without its quotes, anything else as it is written. */
export function textIn(json: Sql): Sql {
  return `(${json} ->> '$')`;
}

/** What `value` is, for a message. */
export function named(value: Value): string {
  if (value.kind === 'resource') return 'a whole resource';
  return { element: 'an element', boolean: 'true or false', number: 'a number', string: 'a text' }[value.kind];
}

/** `text` as a string. */
export function textValue(text: string): Item {
  return { kind: 'string', many: false, sql: quotedText(text), fixed: true };
}

/** `text` as a JSON value of a known category: how dates, dateTimes and times are kept. */
export function momentValue(text: string, category: Category): Item {
  return { kind: 'element', many: false, sql: `to_json(${quotedText(text)})`, category, plain: true };
}

/** Digits, sign, point and exponent, as a DOUBLE. */
export function numberValue(text: string): Item {
  return { kind: 'number', many: false, sql: `CAST(${quotedText(text)} AS DOUBLE)`, fixed: true };
}

/** `value` as SQL's literal. */
export function booleanValue(value: boolean): Item {
  return { kind: 'boolean', many: false, sql: value ? 'TRUE' : 'FALSE', fixed: true };
}
