/** Steps from an element to what is in it. */
import { quotedText } from '../sql.ts';
import { choiceName, dataTypes, isPlainElement, mayBeChoice } from './fhir-types.ts';
import { badView } from './refusal.ts';
import { filtered, flattened, isName, itemsIn, listOf, mapped, named, one, type Scope, type Sql, type Value } from './value.ts';

/** The resource, as long as `condition` holds besides what held before. */
export function only(of: Extract<Value, { kind: 'resource' }>, condition: Sql): Value {
  return { kind: 'resource', kept: of.kept === undefined ? condition : `(${of.kept} AND ${condition})` };
}

/** A JSONPath to the element `name` of an object; the grammar lets only letters, digits and _ into names. */
function jsonPath(name: string): Sql {
  return quotedText(`$."${name}"`);
}

/** The JSON value under the first of `names` that `json`, a name, has. */
function valueIn(scope: Scope, json: Sql, names: readonly string[]): Sql {
  const [name = '', ...others] = names;
  if (others.length === 0) return `json_extract(${json}, ${jsonPath(name)})`;
  return `${filtered(scope, `json_extract(${json}, [${names.map(jsonPath).join(', ')}])`, (found) => `${found} IS NOT NULL`)}[1]`;
}

/** The same directly in the resource, where elements are columns. */
function columnIn({ compilation, place }: Scope, names: readonly string[]): Sql {
  const columns = names.map((name) => compilation.field(name, place));
  return columns.length === 1 ? columns.join() : `coalesce(${columns.join(', ')})`;
}

/** The items under the first of `names` that is there, of every value of `of`: a list of JSON values. `step` is how a message calls it. */
export function children(scope: Scope, of: Value, names: readonly string[], step: string): Children {
  if (of.kind === 'resource') return resourceChildren(scope, of.kept, names);
  if (of.kind !== 'element') throw badView(scope.place, `${step} of ${named(of)}`, 'elements only');
  if (!of.many && isName(of.sql)) return childrenOf(scope, valueIn(scope, of.sql, names), names);
  const all = flattened(
    scope,
    mapped(scope, listOf(scope, of), (item) => valueIn(scope, item, names)),
  );
  if (of.json === undefined || !isName(of.json)) return { sql: all };
  return { sql: `(CASE WHEN starts_with(${of.json}, '[') THEN ${all} ELSE ${itemsIn(scope, valueIn(scope, of.json, names))} END)` };
}

function resourceChildren(scope: Scope, kept: Sql | undefined, names: readonly string[]): Children {
  const found = childrenOf(scope, columnIn(scope, names), names);
  return kept === undefined ? found : { sql: `(CASE WHEN ${kept} THEN ${found.sql} ELSE [] END)` };
}

/** The value under one name is cheap to repeat, the first under many is not. */
function childrenOf(scope: Scope, json: Sql, names: readonly string[]): Children {
  const sql = itemsIn(scope, json);
  return names.length === 1 ? { sql, json } : { sql };
}

/** A list of JSON values, and the one value whose items they are, where there is one. */
export interface Children {
  readonly sql: Sql;
  readonly json?: Sql;
}

/** One step by name. Where the element may be a choice (`value[x]`), it is found under whatever type it has. */
export function stepped(scope: Scope, of: Value, name: string): Value {
  const within = of.kind === 'element' && of.plain;
  const choice = !within && mayBeChoice(name, of.kind === 'resource' ? scope.compilation.resource : undefined);
  const names = choice ? [name, ...[...dataTypes].map((type) => choiceName(name, type))] : [name];
  return { kind: 'element', many: true, ...children(scope, of, names, `the step ${name}`), category: undefined, plain: isPlainElement(name, within) };
}

/** `[n]`, counted from 0; nothing where there are fewer. `index` is a number that is a mere name or literal. */
export function indexed(of: Value, index: Sql): Value {
  const place = `CASE WHEN ${index} >= 0 AND ${index} = trunc(${index}) THEN CAST(${index} AS BIGINT) + 1 ELSE 0 END`;
  if (of.kind === 'resource') return only(of, `coalesce(${index} = 0, FALSE)`);
  return one(of, of.many ? `list_extract(${of.sql}, ${place})` : `CASE WHEN ${index} = 0 THEN ${of.sql} END`);
}
