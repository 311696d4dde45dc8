/** A FHIRPath expression as a tree, in the subset that views need (SQL on FHIR 2.1, "FHIRPath subset"; FHIRPath 2.0, section 12 for the grammar). */

/** What a date, dateTime or time literal is; `text` is without the `@` and the leading or trailing `T`. */
export type MomentCategory = 'date' | 'dateTime' | 'time';

/** `+`, `-`, `*`, `/`, `div`, `mod`. */
export type ArithmeticOperator = '+' | '-' | '*' | '/' | 'div' | 'mod';
/** Equality and order. */
export type ComparisonOperator = '=' | '!=' | '<' | '>' | '<=' | '>=';
/** Of three-valued logic. */
export type LogicalOperator = 'and' | 'or' | 'xor' | 'implies';
export type BinaryOperator = ArithmeticOperator | ComparisonOperator | LogicalOperator;

/** `of` is what a step starts from; where it is undefined, that is the focus. `at` is the first character, from 1. */
export type Expression =
  | { readonly kind: 'text'; readonly text: string; readonly at: number }
  /** Digits, and a point between digits. */
  | { readonly kind: 'number'; readonly text: string; readonly at: number }
  | { readonly kind: 'boolean'; readonly value: boolean; readonly at: number }
  | { readonly kind: 'moment'; readonly category: MomentCategory; readonly text: string; readonly at: number }
  /** `%name`, or `%rowIndex`. */
  | { readonly kind: 'constant'; readonly name: string; readonly at: number }
  | { readonly kind: 'this'; readonly at: number }
  | { readonly kind: 'member'; readonly of: Expression | undefined; readonly name: string; readonly at: number }
  | { readonly kind: 'index'; readonly of: Expression; readonly index: Expression; readonly at: number }
  | { readonly kind: 'call'; readonly of: Expression | undefined; readonly name: string; readonly given: readonly Expression[]; readonly at: number }
  | { readonly kind: 'binary'; readonly operator: BinaryOperator; readonly left: Expression; readonly right: Expression; readonly at: number }
  | { readonly kind: 'negation'; readonly operand: Expression; readonly at: number };
