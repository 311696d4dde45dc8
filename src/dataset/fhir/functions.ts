/** The functions of a path (SQL on FHIR 2.1: required FHIRPath functions, getResourceKey and getReferenceKey; FHIRPath 2.0, section 5). */
import { quotedText } from '../sql.ts';
import type { Expression } from './ast.ts';
import { compared } from './compare.ts';
import { type Category, choiceName, dataTypes, isPlainType, mayBeChoice, primitives } from './fhir-types.ts';
import { decimalBoundary, momentBoundary } from './moments.ts';
import { badView, shown } from './refusal.ts';
import { itemOf, truthOf } from './scalars.ts';
import { type Children, children, only, stepped } from './steps.ts';
import { bound, filtered, type Item, listOf, mapped, named, one, type Scope, type Sql, several, single, textIn, type Value } from './value.ts';

/** A call as its function sees it. `compile` turns an argument into SQL, in the scope that is given. */
export interface Call {
  readonly scope: Scope;
  readonly name: string;
  readonly of: Value;
  readonly given: readonly Expression[];
  readonly compile: (expression: Expression, scope: Scope) => Value;
}

interface FunctionRule {
  readonly least: number;
  readonly most: number;
  readonly compile: (call: Call) => Value;
}

const element = (found: Children, category?: Category, plain = false): Value => ({ kind: 'element', many: true, ...found, category, plain });

/** The values for which the first argument is true. */
function where({ scope, of, given, compile }: Call): Value {
  const [criterion] = given;
  if (criterion === undefined) return of;
  const inner = { ...scope, criteria: scope.criteria + 1, expected: undefined };
  if (of.kind === 'resource')
    return only(of, `coalesce(${truthOf(scope, compile(criterion, { ...inner, focus: { kind: 'resource', kept: undefined } }))}, FALSE)`);
  const sql = filtered(scope, listOf(scope, of), (item) => {
    const focus = one(of, item);
    return `coalesce(${truthOf(scope, compile(criterion, { ...inner, focus }))}, FALSE)`;
  });
  return several(of, sql);
}

function exists(call: Call): Sql {
  const found = where(call);
  if (found.kind === 'resource') return `coalesce(${found.kept ?? 'TRUE'}, FALSE)`;
  return found.many ? `(len(${found.sql}) > 0)` : `(${found.sql} IS NOT NULL)`;
}

function first({ of }: Call): Value {
  return of.kind === 'resource' || !of.many ? of : one(of, `list_extract(${of.sql}, 1)`);
}

/** An argument that must be a text of the view itself: a literal or a constant. */
function ownText({ scope, name, given, compile }: Call): Item {
  const [argument] = given;
  const value = argument?.kind === 'text' || argument?.kind === 'constant' ? compile(argument, scope) : undefined;
  if (value?.kind !== 'string') throw badView(scope.place, `${name}() with something that is no text`, `a 'text' or a %constant that is one`);
  return value;
}

/** The name of a type as an argument, with or without `FHIR.` in front. */
function typeName({ scope, name, given }: Call): string {
  const [argument] = given;
  const plain =
    argument?.kind === 'member' &&
    (argument.of === undefined || (argument.of.kind === 'member' && argument.of.of === undefined && argument.of.name === 'FHIR'));
  if (!plain) throw badView(scope.place, `${name}() with something that is no type`, 'the name of a FHIR type, such as Quantity');
  return argument.name;
}

function joined(call: Call): Value {
  const { scope, of, given } = call;
  const item = itemOf(scope, of);
  if (item.kind !== 'element' && item.kind !== 'string') throw badView(scope.place, `join() of ${named(item)}`, 'texts');
  const list = item.kind === 'string' ? listOf(scope, item) : mapped(scope, listOf(scope, item), textIn);
  // Not array_to_string(), a macro that repeats its argument: joins of joins would double with each.
  return { kind: 'string', many: false, sql: `coalesce(list_aggregate(${list}, 'string_agg', ${given.length === 0 ? "''" : ownText(call).sql}), '')` };
}

/** Extensions with that url, wherever the focus has some. */
function extension(call: Call): Value {
  const { scope, of } = call;
  const url = ownText(call);
  const { sql } = children(scope, of, ['extension'], 'extension()');
  const wanted = filtered(scope, sql, (item) => {
    const own = itemOf(scope, stepped(scope, { kind: 'element', many: false, sql: item, category: undefined, plain: false }, 'url'));
    return `coalesce(${compared(scope, '=', own, url)}, FALSE)`;
  });
  return element({ sql: wanted });
}

/** `Patient/123`. The type is part of the key, so that resources of two types never meet in a join. */
function resourceKey({ scope, of }: Call): Value {
  if (of.kind !== 'resource') throw badView(scope.place, `getResourceKey() of ${named(of)}`, 'getResourceKey() of the resource, as first step of a path');
  const id = single(scope, { kind: 'element', many: true, ...children(scope, of, ['id'], 'getResourceKey()'), category: 'string', plain: true });
  return { kind: 'string', many: false, sql: `(${quotedText(`${scope.compilation.resource}/`)} || ${textIn(id)})` };
}

/** The key in a reference, a name; empty where there is none. The usual form, relative and without version, needs no pattern, which saves 60 ms of 100,000. */
function keyIn(text: Sql, pattern: Sql, type: string | undefined): Sql {
  const matched = `regexp_extract(${text}, ${pattern}, 1)`;
  if (type === undefined) return matched;
  return `CASE WHEN starts_with(${text}, ${quotedText(`${type}/`)}) AND NOT contains(substr(${text}, ${type.length + 2}), '/') AND length(${text}) > ${type.length + 1} THEN ${text} ELSE ${matched} END`;
}

/** The keys of the resources that References name, of one type where it is given: relative or absolute, without version; none for contained ones and URNs. */
function referenceKey(call: Call): Value {
  const { scope, of, given } = call;
  const type = given.length === 0 ? '[A-Z][A-Za-z]+' : typeName(call);
  if (given.length > 0 && !/^[A-Z][A-Za-z]+$/.test(type))
    throw badView(scope.place, `getReferenceKey(${shown(type)})`, 'the type of a resource, such as Patient');
  const item = itemOf(scope, of);
  if (item.kind !== 'element') throw badView(scope.place, `getReferenceKey() of ${named(item)}`, 'an element that is a Reference');
  const pattern = quotedText(`(?:^|/)(${type}/[^/]+)(?:/_history/[^/]+)?$`);
  const references = mapped(scope, children(scope, item, ['reference'], 'getReferenceKey()').sql, textIn);
  const keys = mapped(scope, references, (text) => keyIn(text, pattern, given.length === 0 ? undefined : type));
  return { kind: 'string', many: true, sql: filtered(scope, keys, (found) => `${found} <> ''`) };
}

function boundary(end: 'low' | 'high') {
  return ({ scope, of, name }: Call): Value => {
    const item = itemOf(scope, of);
    if (item.kind !== 'element' && item.kind !== 'number') throw badView(scope.place, `${name}() of ${named(item)}`, 'a decimal, date, dateTime or time');
    const json = item.kind === 'element' ? single(scope, item) : `to_json(${single(scope, item)})`;
    const known = (item.kind === 'element' ? item.category : 'number') ?? scope.expected;
    const category = known === 'date' || known === 'dateTime' || known === 'time' ? known : undefined;
    const sql = bound(
      scope,
      [json],
      (value) =>
        `CASE WHEN starts_with(${value}, '"') THEN ${momentBoundary(scope, value, end, category)} WHEN ${value} IS NOT NULL THEN ${decimalBoundary(scope, value, end)} END`,
    );
    return { kind: 'element', many: false, sql, category: known, plain: true };
  };
}

/** How JSON shows a type that its element's name does not. */
function looksLike(type: string, item: Sql): Sql {
  const category = primitives.get(type)?.category;
  if (category === undefined) return `starts_with(${item}, '{')`;
  if (category === 'boolean') return `${item} IN ('true', 'false')`;
  return category === 'number' ? `regexp_matches(${item}, '^[-0-9]')` : `starts_with(${item}, '"')`;
}

/** `value.ofType(Quantity)`: the element under the name that says the type; `contained.ofType(Medication)`: the resources of that type. */
function ofType(call: Call, step: { readonly of: Value; readonly name: string } | undefined): Value {
  const { scope, of } = call;
  const type = typeName(call);
  const category = primitives.get(type)?.category;
  if (dataTypes.has(type)) {
    if (step === undefined)
      throw badView(
        scope.place,
        `ofType(${type}) after something other than an element's name`,
        'the element directly before it, as in value.ofType(Quantity)',
      );
    const typed = choiceName(step.name, type);
    const plain = isPlainType(type);
    if (mayBeChoice(step.name, step.of.kind === 'resource' ? scope.compilation.resource : undefined))
      return element(children(scope, step.of, [typed], 'ofType()'), category, plain);
    const { sql: either } = children(scope, step.of, [typed, step.name], 'ofType()');
    return element({ sql: filtered(scope, either, (item) => looksLike(type, item)) }, category, plain);
  }
  if (!/^[A-Z][A-Za-z]{1,63}$/.test(type)) throw badView(scope.place, `ofType(${shown(type)})`, 'a FHIR data type or the type of a resource');
  if (step === undefined && of.kind === 'resource') return type === scope.compilation.resource ? of : only(of, 'FALSE');
  const item = itemOf(scope, step === undefined ? of : element(children(scope, step.of, [step.name], 'ofType()')));
  if (item.kind !== 'element') throw badView(scope.place, `ofType(${type}) of ${named(item)}`, 'an element');
  return element({ sql: filtered(scope, listOf(scope, item), (json) => `json_extract(${json}, '$."resourceType"') = to_json(${quotedText(type)})`) });
}

const truth = (sql: Sql): Value => ({ kind: 'boolean', many: false, sql });

const rules: ReadonlyMap<string, FunctionRule> = new Map(
  Object.entries({
    where: { least: 1, most: 1, compile: where },
    exists: { least: 0, most: 1, compile: (call: Call) => truth(exists(call)) },
    empty: { least: 0, most: 0, compile: (call: Call) => truth(`(NOT ${exists(call)})`) },
    not: { least: 0, most: 0, compile: ({ scope, of }: Call) => truth(`(NOT ${truthOf(scope, of)})`) },
    first: { least: 0, most: 0, compile: first },
    join: { least: 0, most: 1, compile: joined },
    extension: { least: 1, most: 1, compile: extension },
    getResourceKey: { least: 0, most: 0, compile: resourceKey },
    getReferenceKey: { least: 0, most: 1, compile: referenceKey },
    lowBoundary: { least: 0, most: 0, compile: boundary('low') },
    highBoundary: { least: 0, most: 0, compile: boundary('high') },
  }),
);

/** The value of a call. `step` is the element step directly before it, for `ofType`. Throws DATASET_BAD_VIEW for a function that views do not have. */
export function called(call: Call, step: { readonly of: Value; readonly name: string } | undefined): Value {
  const { name, given, scope } = call;
  const rule = name === 'ofType' ? { least: 1, most: 1, compile: (same: Call) => ofType(same, step) } : rules.get(name);
  if (rule === undefined) throw badView(scope.place, `the function ${shown(`${name}()`)}`, [...rules.keys(), 'ofType'].join(', '));
  if (given.length < rule.least || given.length > rule.most) {
    const allowed = rule.least === rule.most ? `${rule.least}` : `${rule.least} or ${rule.most}`;
    throw badView(scope.place, `${given.length} arguments of ${name}()`, allowed);
  }
  return rule.compile(call);
}
