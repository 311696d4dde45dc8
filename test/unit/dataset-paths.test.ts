/** The grammar of paths: how operators bind, what a token is, and that no text whatever makes it throw anything but its own error. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isSwarmError } from '../../src/common/index.ts';
import type { Expression } from '../../src/dataset/fhir/ast.ts';
import { parsePath } from '../../src/dataset/fhir/grammar.ts';

/** A tree as text with every bracket. */
function bracketed(expression: Expression | undefined): string {
  if (expression === undefined) return '';
  const before = (of: Expression | undefined) => (of === undefined ? '' : `${bracketed(of)}.`);
  switch (expression.kind) {
    case 'text':
      return JSON.stringify(expression.text);
    case 'number':
      return expression.text;
    case 'boolean':
      return String(expression.value);
    case 'moment':
      return `@${expression.category}:${expression.text}`;
    case 'constant':
      return `%${expression.name}`;
    case 'this':
      return '$this';
    case 'member':
      return `${before(expression.of)}${expression.name}`;
    case 'index':
      return `${bracketed(expression.of)}[${bracketed(expression.index)}]`;
    case 'call':
      return `${before(expression.of)}${expression.name}(${expression.given.map(bracketed).join(', ')})`;
    case 'binary':
      return `(${bracketed(expression.left)} ${expression.operator} ${bracketed(expression.right)})`;
    case 'negation':
      return `-(${bracketed(expression.operand)})`;
  }
}

const parsed = (path: string) => bracketed(parsePath(path, 'path'));

describe('operators', () => {
  test.each([
    ['a or b and c', '(a or (b and c))'],
    ['a and b or c', '((a and b) or c)'],
    ['a xor b or c', '((a xor b) or c)'],
    ['a implies b implies c', '((a implies b) implies c)'],
    ['a or b implies c and d', '((a or b) implies (c and d))'],
    ['a = b and c != d', '((a = b) and (c != d))'],
    ['a < b = c >= d', '((a < b) = (c >= d))'],
    ['a + b * c - d', '((a + (b * c)) - d)'],
    ['a - b - c', '((a - b) - c)'],
    ['a / b div c mod d', '(((a / b) div c) mod d)'],
    ['a + 1 > b * 2', '((a + 1) > (b * 2))'],
    ['(a or b) and c', '((a or b) and c)'],
    ['-a.b + c', '(-(a.b) + c)'],
    ['+1 * -2', '(1 * -(2))'],
    ["a.where(b = 'x' or c).first().d[0].e", 'a.where(((b = "x") or c)).first().d[0].e'],
    ['(a).b', 'a.b'],
    ['a[b + 1]', 'a[(b + 1)]'],
  ])('%s', (path, tree) => expect(parsed(path)).toBe(tree));
});

describe('words', () => {
  test.each([
    [String.raw`'it\'s \u00e4\n\\'`, JSON.stringify("it's ä\n\\")],
    ['@2024', '@date:2024'],
    ['@2024-05T', '@dateTime:2024-05'],
    ['@2024-05-01T08:30:00.5+02:00', '@dateTime:2024-05-01T08:30:00.5+02:00'],
    ['@T08:30:00', '@time:08:30:00'],
    ['%rowIndex', '%rowIndex'],
    ['`div`.`and`', 'div.and'],
    ['a.div.contains.is', 'a.div.contains.is'],
    ['a /* b */ . // c\n b', 'a.b'],
    ['true.not() = false', '(true.not() = false)'],
    ['1.50', '1.50'],
    ['$this', '$this'],
  ])('%s', (path, tree) => expect(parsed(path)).toBe(tree));
});

describe('what is no path is refused with the place', () => {
  test.each([
    ['', /found the end of the path/],
    ['a.', /character 3: found the end of the path; allowed: the name/],
    ['a b', /character 3: found "b"/],
    ['a..b', /character 3: found "\."/],
    ['a.(b)', /character 3: found "\("/],
    ['(a', /found the end of the path; allowed: "\)"/],
    ['a)', /character 2: found "\)"/],
    ['f(a,)', /character 5: found "\)"/],
    ['f(a b)', /character 5: found "b"; allowed: ","/],
    ["'open", /character 1: found "'open"/],
    ['/* open', /character 1: found "\/"/],
    [String.raw`'\q'`, /the escape "\\q"/],
    [String.raw`'\u0000'`, /NUL/],
    [String.raw`'\ud800'`, /half a surrogate pair/],
    ['`a"b`', /element name "a\\?"b"/],
    ['a | b', /character 3: found "\|"; allowed: the operators/],
    ['a & b', /found "&"/],
    ['a ~ b', /found "~"/],
    ['a is Patient', /found "is"/],
    ['a in b', /found "in"/],
    ['4 days', /a quantity, "4 days"/],
    ["4 'mg'", /a quantity/],
    ['$index', /found "\$index"; allowed: \$this/],
    ['{}', /found "\{"/],
    ['@2024-5', /found "@2024-5"/],
    ['@2024-13-01', /found "@2024-13-01"/],
    ['@2024-01-32', /found/],
    ['@T25:00:00', /found "@T25:00:00"/],
    ['@2024-05T08:30:00', /found/],
    ['@T08:30', /found "@T08:30"/],
    ['@2024-05-01T08:30', /found/],
    ['1234567890123456', /found "123456789012/],
    ['ä', /found "ä"/],
    ['%', /found "%"/],
    ["%'a'", /found "%'a'"/],
    ['a;b', /found ";b"/],
    [`${'('.repeat(100)}a${')'.repeat(100)}`, /more than 64 deep/],
    ['a.'.repeat(70).slice(0, -1), /more than 64 deep/],
    ['a+'.repeat(70).slice(0, -1), /more than 64 deep/],
    ['f('.repeat(70), /more than 64 deep/],
    ['-'.repeat(300), /found "-"/],
    ['a '.repeat(520), /more than 512 words/],
    ['a'.repeat(5000), /5000 characters; allowed: a path of at most 4096/],
  ])('%s', (path, says) => {
    expect(() => parsePath(path, 'path')).toThrow(says);
    expect(() => parsePath(path, 'path')).toThrow(/^ViewDefinition, path/);
  });

  test('whatever the text, nothing else is thrown', () => {
    const pieces = [
      'a',
      'where',
      '(',
      ')',
      '[',
      ']',
      '.',
      ',',
      "'x'",
      '1',
      '1.5',
      '@2024',
      '%c',
      '$this',
      'and',
      'or',
      '=',
      '<',
      '+',
      '-',
      '*',
      '|',
      '`b`',
      ' ',
      '//',
      '/*',
      '\\',
      '\0',
    ];
    const soup = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 60 }),
      fc.array(fc.constantFrom(...pieces), { maxLength: 40 }).map((all) => all.join('')),
    );
    fc.assert(
      fc.property(soup, (path) => {
        try {
          parsePath(path, 'path');
        } catch (error) {
          if (!isSwarmError(error, 'DATASET_BAD_VIEW')) throw error;
        }
      }),
      { numRuns: 3_000 },
    );
  });
});
