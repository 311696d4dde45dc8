/** From the text of a path to its tree: precedence climbing over FHIRPath's operators (FHIRPath 2.0, section 6.8: operator precedence). */
import { datasetLimits } from '../limits.ts';
import type { BinaryOperator, Expression } from './ast.ts';
import { badView, shown } from './refusal.ts';
import { type Token, tokensOf } from './tokens.ts';

/** Binary operators by how tightly they bind; all of them are left-associative. */
const precedence: ReadonlyMap<string, { readonly operator: BinaryOperator; readonly level: number }> = new Map(
  (
    [
      ['implies', 1],
      ['or', 2],
      ['xor', 2],
      ['and', 3],
      ['=', 4],
      ['!=', 4],
      ['<', 5],
      ['>', 5],
      ['<=', 5],
      ['>=', 5],
      ['+', 6],
      ['-', 6],
      ['*', 7],
      ['/', 7],
      ['div', 7],
      ['mod', 7],
    ] as const
  ).map(([operator, level]) => [operator, { operator, level }]),
);
const foreign = new Set(['|', '&', '~', '!~', 'is', 'as', 'in', 'contains']);
const allowedOperators = [...precedence.keys()].join(' ');

/** One pass over the tokens of one path. */
class PathParser {
  readonly #tokens: readonly Token[];
  readonly #place: string;
  readonly #depths = new Map<Expression, number>();
  #next = 0;
  #nesting = 0;

  constructor(tokens: readonly Token[], place: string) {
    this.#tokens = tokens;
    this.#place = place;
  }

  whole(): Expression {
    const expression = this.#expression(0);
    const { kind } = this.#peek();
    if (kind !== 'end') throw this.#unexpected('an operator, a step that begins with a dot, or the end');
    return expression;
  }

  #peek(): Token {
    const token = this.#tokens[this.#next] ?? this.#tokens.at(-1);
    return token ?? { kind: 'end', text: '', at: 1 };
  }

  #take(): Token {
    const token = this.#peek();
    this.#next++;
    return token;
  }

  #isSign(text: string): boolean {
    const token = this.#peek();
    return token.kind === 'sign' && token.text === text;
  }

  #expect(text: string): void {
    if (!this.#isSign(text)) throw this.#unexpected(shown(text));
    this.#next++;
  }

  #unexpected(allowed: string) {
    const token = this.#peek();
    return badView(`${this.#place}, character ${token.at}`, token.kind === 'end' ? 'the end of the path' : shown(token.text), allowed);
  }

  /** A node over others, no deeper than the limit. */
  #node(expression: Expression, ...parts: readonly (Expression | undefined)[]): Expression {
    const depth = 1 + Math.max(0, ...parts.map((part) => (part === undefined ? 0 : (this.#depths.get(part) ?? 0))));
    this.#checkDepth(depth);
    this.#depths.set(expression, depth);
    return expression;
  }

  #checkDepth(depth: number): void {
    const { pathDepth } = datasetLimits;
    if (depth > pathDepth) throw badView(this.#place, `steps and operators more than ${pathDepth} deep`, `at most ${pathDepth}`);
  }

  #expression(least: number): Expression {
    this.#checkDepth(++this.#nesting);
    let left = this.#signed();
    for (let found = this.#operator(); found !== undefined && found.level >= least; found = this.#operator()) {
      const { at } = this.#take();
      const right = this.#expression(found.level + 1);
      left = this.#node({ kind: 'binary', operator: found.operator, left, right, at }, left, right);
    }
    this.#nesting--;
    return left;
  }

  #operator() {
    const token = this.#peek();
    if (token.kind !== 'sign' && (token.kind !== 'name' || token.quoted)) return undefined;
    if (foreign.has(token.text)) throw this.#unexpected(`the operators ${allowedOperators}`);
    return precedence.get(token.text);
  }

  #signed(): Expression {
    const { at } = this.#peek();
    if (this.#isSign('+')) {
      this.#next++;
      return this.#steps();
    }
    if (!this.#isSign('-')) return this.#steps();
    this.#next++;
    const operand = this.#steps();
    return this.#node({ kind: 'negation', operand, at }, operand);
  }

  #steps(): Expression {
    let of = this.#term();
    for (;;) {
      const { at } = this.#peek();
      if (this.#isSign('.')) {
        this.#next++;
        of = this.#named(of);
      } else if (this.#isSign('[')) {
        this.#next++;
        const index = this.#expression(0);
        this.#expect(']');
        of = this.#node({ kind: 'index', of, index, at }, of, index);
      } else return of;
    }
  }

  #term(): Expression {
    const token = this.#peek();
    if (token.kind === 'name')
      return this.#isBoolean(token) ? this.#node({ kind: 'boolean', value: this.#take().text === 'true', at: token.at }) : this.#named(undefined);
    if (this.#isSign('(')) {
      this.#next++;
      const inner = this.#expression(0);
      this.#expect(')');
      return inner;
    }
    return this.#node(this.#literal(token));
  }

  #isBoolean({ text, kind }: Token): boolean {
    const after = this.#tokens[this.#next + 1];
    return kind === 'name' && (text === 'true' || text === 'false') && !(after?.kind === 'sign' && after.text === '(');
  }

  #literal(token: Token): Expression {
    const { at, text } = token;
    switch (token.kind) {
      case 'text':
        return { kind: 'text', text: this.#take().text, at };
      case 'number':
        return this.#number(this.#take().text, at);
      case 'moment':
        this.#next++;
        return { kind: 'moment', category: token.category, text, at };
      case 'constant':
        return { kind: 'constant', name: this.#take().text, at };
      case 'variable':
        if (text !== '$this') throw this.#unexpected('$this');
        this.#next++;
        return { kind: 'this', at };
      default:
        throw this.#unexpected("an element, a 'text', a number, true, false, a @date, a %constant, $this or (");
    }
  }

  #number(text: string, at: number): Expression {
    const { kind } = this.#peek();
    if (kind === 'text' || kind === 'name') {
      const operator = this.#operator();
      if (operator === undefined)
        throw badView(`${this.#place}, character ${at}`, `a quantity, ${shown(`${text} ${this.#peek().text}`)}`, 'numbers without unit');
    }
    return { kind: 'number', text, at };
  }

  /** An element or a function call, after a dot or at the start. */
  #named(of: Expression | undefined): Expression {
    const token = this.#peek();
    if (token.kind !== 'name') throw this.#unexpected('the name of an element or function');
    const { text: name, at } = this.#take();
    if (!this.#isSign('(')) return this.#node({ kind: 'member', of, name, at }, of);
    this.#next++;
    const given: Expression[] = [];
    while (!this.#isSign(')')) {
      if (given.length > 0) this.#expect(',');
      given.push(this.#expression(0));
    }
    this.#next++;
    return this.#node({ kind: 'call', of, name, given, at }, of, ...given);
  }
}

/** The tree of one path. `place` names where it stands in the view. Throws DATASET_BAD_VIEW. */
export function parsePath(path: string, place: string): Expression {
  return new PathParser(tokensOf(path, place), place).whole();
}
