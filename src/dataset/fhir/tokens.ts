/** The words and signs of a FHIRPath expression (FHIRPath 2.0, section 12: lexical elements). */
import { datasetLimits } from '../limits.ts';
import type { MomentCategory } from './ast.ts';
import { badView, shown } from './refusal.ts';

/** `at` is the first character, from 1. A name that was written in backticks is never a keyword. */
export type Token =
  | { readonly kind: 'name'; readonly text: string; readonly quoted: boolean; readonly at: number }
  | { readonly kind: 'text' | 'number' | 'constant' | 'variable' | 'sign' | 'end'; readonly text: string; readonly at: number }
  | { readonly kind: 'moment'; readonly category: MomentCategory; readonly text: string; readonly at: number };

const clock = String.raw`(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?`;
const day = String.raw`\d{4}(?:-(?:0[1-9]|1[0-2])(?:-(?:0[1-9]|[12]\d|3[01]))?)?`;
const zoned = String.raw`${clock}(?:Z|[+-]\d{2}:\d{2})?`;

/** Whole texts of dates, dateTimes and times, as FHIR writes them. */
export const momentTexts: Readonly<Record<MomentCategory, RegExp>> = {
  date: new RegExp(`^${day}$`),
  dateTime: new RegExp(`^${day}(?<=-\\d{2}-\\d{2})T${zoned}$|^${day}$`),
  time: new RegExp(`^${clock}$`),
};

const patterns = {
  blank: /(?:\s+|\/\/[^\n]*|\/\*[^*]*\*+(?:[^/*][^*]*\*+)*\/)+/y,
  name: /[A-Za-z_][A-Za-z0-9_]*/y,
  quoted: /`(?:[^`\\]|\\.)*`/sy,
  text: /'(?:[^'\\]|\\.)*'/sy,
  number: /\d{1,15}(?:\.\d{1,15})?(?![\d.]*\d)/y,
  time: new RegExp(`@T(${clock})(?![\\d:])`, 'y'),
  moment: new RegExp(`@(${day})(?:(T)((?<=-\\d{2}-\\d{2}T)${zoned})?)?(?![\\d:-])`, 'y'),
  constant: /%[A-Za-z_][A-Za-z0-9_]*/y,
  variable: /\$[a-z]+/y,
  sign: /!=|!~|<=|>=|[().,[\]{}+\-*/<>=|&~]/y,
} as const;
const kinds = ['time', 'moment', 'name', 'quoted', 'text', 'number', 'constant', 'variable', 'sign'] as const;

const escapes: ReadonlyMap<string, string> = new Map(
  Object.entries({ n: '\n', r: '\r', t: '\t', f: '\f', '/': '/', '\\': '\\', "'": "'", '"': '"', '`': '`' }),
);

/** The text between the quotes of `raw`, with its escapes resolved. */
function unescaped(raw: string, place: string): string {
  const text = raw.slice(1, -1).replaceAll(/\\(?:u([0-9A-Fa-f]{4})|(.))/gsu, (_, code: string | undefined, letter: string | undefined) => {
    const character = code === undefined ? escapes.get(letter ?? '') : String.fromCharCode(Number.parseInt(code, 16));
    if (character === undefined) throw badView(place, `the escape ${shown(`\\${letter ?? ''}`)}`, String.raw`\\ \' \" ${'\\`'} \/ \n \r \t \f and \uXXXX`);
    return character;
  });
  return checkedText(text, place);
}

/** Refuses NUL, which ends a statement early, and half a surrogate pair, which is no Unicode. */
export function checkedText(text: string, place: string): string {
  if (text.includes('\0') || !text.isWellFormed()) throw badView(place, 'a NUL or half a surrogate pair in a text', 'Unicode without NUL');
  return text;
}

function tokenOf(kind: (typeof kinds)[number], found: RegExpExecArray, place: string): Token {
  const [raw, first = '', t, rest] = found;
  const at = found.index + 1;
  switch (kind) {
    case 'time':
      return { kind: 'moment', category: 'time', text: first, at };
    case 'moment':
      return { kind: 'moment', category: t === undefined ? 'date' : 'dateTime', text: rest === undefined ? first : `${first}T${rest}`, at };
    case 'name':
      return { kind, text: raw, quoted: false, at };
    case 'quoted': {
      const text = unescaped(raw, place);
      if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(text)) throw badView(place, `the element name ${shown(text)}`, 'letters, digits and _');
      return { kind: 'name', text, quoted: true, at };
    }
    case 'text':
      return { kind, text: unescaped(raw, place), at };
    case 'constant':
      return { kind, text: raw.slice(1), at };
    default:
      return { kind, text: raw, at };
  }
}

function nextToken(path: string, from: number, place: string): { readonly token: Token; readonly to: number } {
  for (const kind of kinds) {
    const pattern = patterns[kind];
    pattern.lastIndex = from;
    const found = pattern.exec(path);
    if (found !== null) return { token: tokenOf(kind, found, `${place}, character ${from + 1}`), to: pattern.lastIndex };
  }
  const allowed = "elements, 'texts', numbers, @dates (whole dates, dateTimes and times with seconds), %constants, $this, functions and operators";
  throw badView(`${place}, character ${from + 1}`, shown(path.slice(from, from + 12)), allowed);
}

/** All tokens of `path`, the last of kind `end`. Throws DATASET_BAD_VIEW. */
export function tokensOf(path: string, place: string): readonly Token[] {
  const { pathCharacters, pathTokens } = datasetLimits;
  if (path.length > pathCharacters) throw badView(place, `${path.length} characters`, `a path of at most ${pathCharacters}`);
  const tokens: Token[] = [];
  const afterBlank = (from: number): number => {
    patterns.blank.lastIndex = from;
    return patterns.blank.test(path) ? patterns.blank.lastIndex : from;
  };
  for (let from = afterBlank(0); from < path.length; ) {
    const { token, to } = nextToken(path, from, place);
    if (tokens.push(token) > pathTokens) throw badView(place, `more than ${pathTokens} words and signs`, `at most ${pathTokens} in a path`);
    from = afterBlank(to);
  }
  return [...tokens, { kind: 'end', text: '', at: path.length + 1 }];
}
