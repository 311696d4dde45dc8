/** From the tree of a path to SQL over the columns of a resource's elements. Pure: the same tree in the same scope gives the same text but for lambda names. */
import { datasetLimits } from '../limits.ts';
import type { ArithmeticOperator, Expression, LogicalOperator } from './ast.ts';
import { calculated, compared } from './compare.ts';
import { called } from './functions.ts';
import { badView, shown } from './refusal.ts';
import { itemOf, numberOf, truthOf } from './scalars.ts';
import { indexed, stepped } from './steps.ts';
import { booleanValue, bound, type Item, momentValue, numberValue, type Scope, type Sql, textValue, type Value } from './value.ts';

type Binary = Extract<Expression, { kind: 'binary' }>;

const arithmetic: ReadonlySet<string> = new Set(['+', '-', '*', '/', 'div', 'mod']);
const logical: ReadonlySet<string> = new Set(['and', 'or', 'xor', 'implies']);

const isArithmetic = (operator: Binary['operator']): operator is ArithmeticOperator => arithmetic.has(operator);
const isLogical = (operator: Binary['operator']): operator is LogicalOperator => logical.has(operator);

/**
 * SQL's AND, OR and NOT are FHIRPath's tables with NULL for the empty collection. `implies` is written out over names: as NOT a OR b, a chain of it
 * keeps DuckDB's optimiser for half a minute.
 */
function combined(scope: Scope, operator: LogicalOperator, a: Sql, b: Sql): Sql {
  switch (operator) {
    case 'and':
      return `(${a} AND ${b})`;
    case 'or':
      return `(${a} OR ${b})`;
    case 'xor':
      return `(${a} <> ${b})`;
    case 'implies':
      return bound(scope, [a, b], (one = '', other = '') => `CASE WHEN NOT ${one} OR ${other} THEN TRUE WHEN ${one} AND NOT ${other} THEN FALSE END`);
  }
}

function binary({ operator, left, right }: Binary, scope: Scope): Item {
  const inner = { ...scope, expected: undefined };
  const [a, b] = [compilePath(left, inner), compilePath(right, inner)];
  if (isLogical(operator)) return { kind: 'boolean', many: false, sql: combined(scope, operator, truthOf(scope, a), truthOf(scope, b)) };
  if (isArithmetic(operator)) return calculated(scope, operator, itemOf(scope, a), itemOf(scope, b));
  return { kind: 'boolean', many: false, sql: compared(scope, operator, itemOf(scope, a), itemOf(scope, b)) };
}

function constant(name: string, scope: Scope): Item {
  if (name === 'rowIndex') return { kind: 'number', many: false, sql: scope.rowIndex };
  const value = scope.compilation.constants.get(name);
  if (value === undefined)
    throw badView(
      scope.place,
      `the constant ${shown(`%${name}`)}, which the view does not declare`,
      ['rowIndex', ...scope.compilation.constants.keys()].map((known) => `%${known}`).join(', '),
    );
  return value;
}

/** An index is a number that costs nothing to repeat. */
function index(expression: Expression, scope: Scope): Sql {
  const value = expression.kind === 'number' || expression.kind === 'constant' ? compilePath(expression, scope) : undefined;
  if (value?.kind !== 'number') throw badView(scope.place, 'an index that is no number', 'a whole number, a %constant that is one, or %rowIndex');
  return value.sql;
}

function call(expression: Extract<Expression, { kind: 'call' }>, scope: Scope): Value {
  const { of, name, given } = expression;
  if (scope.criteria > datasetLimits.criteriaDepth)
    throw badView(scope.place, `criteria more than ${datasetLimits.criteriaDepth} deep`, `at most ${datasetLimits.criteriaDepth}`);
  if (name === 'ofType' && of?.kind === 'member') {
    const from = start(of.of, scope);
    return called({ scope, name, of: from, given, compile: compilePath }, { of: from, name: of.name });
  }
  return called({ scope, name, of: start(of, scope), given, compile: compilePath }, undefined);
}

/** What a step starts from. */
function start(of: Expression | undefined, scope: Scope): Value {
  return of === undefined ? scope.focus : compilePath(of, { ...scope, expected: undefined });
}

function member({ of, name }: Extract<Expression, { kind: 'member' }>, scope: Scope): Value {
  const from = start(of, scope);
  return of === undefined && from.kind === 'resource' && name === scope.compilation.resource ? from : stepped(scope, from, name);
}

/** What `expression` is in `scope`. Throws DATASET_BAD_VIEW for what views do not have. */
export function compilePath(expression: Expression, scope: Scope): Value {
  switch (expression.kind) {
    case 'text':
      return textValue(expression.text);
    case 'number':
      return numberValue(expression.text);
    case 'boolean':
      return booleanValue(expression.value);
    case 'moment':
      return momentValue(expression.text, expression.category);
    case 'constant':
      return constant(expression.name, scope);
    case 'this':
      return scope.focus;
    case 'member':
      return member(expression, scope);
    case 'index':
      return indexed(compilePath(expression.of, { ...scope, expected: undefined }), index(expression.index, scope));
    case 'call':
      return call(expression, scope);
    case 'binary':
      return binary(expression, scope);
    case 'negation':
      return { kind: 'number', many: false, sql: `(- ${numberOf(scope, itemOf(scope, compilePath(expression.operand, scope)))})` };
  }
}
