/** Reading the fields of a ViewDefinition: objects without unknown fields, lists and texts within bounds. */
import { datasetLimits } from '../limits.ts';
import { badView, shown } from './refusal.ts';
import { checkedText } from './tokens.ts';

/** Where a value stands: `select[0].column[1].path`. */
export interface Place {
  readonly place: string;
}

/** A value and where it stands. */
export interface Field extends Place {
  readonly value: unknown;
}

function kindOf(value: unknown): string {
  if (value === undefined || value === null) return 'nothing';
  return Array.isArray(value) ? 'a list' : `a ${typeof value}`;
}

/** What a value holds, each one level deeper; nothing for texts, numbers and truth values. */
function innerValues(value: unknown): readonly unknown[] {
  if (typeof value !== 'object' || value === null) return [];
  return Array.isArray(value) ? value : Object.values(value);
}

/** Refuses a view of more values, deeper nesting or longer texts than the limits say, before anything else looks at it. */
export function checkBounds(view: unknown): void {
  const { viewValues, viewDepth, viewTextCharacters } = datasetLimits;
  const open: { readonly value: unknown; readonly depth: number }[] = [{ value: view, depth: 1 }];
  let count = 1;
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { value, depth } = next;
    if (typeof value === 'string' && value.length > viewTextCharacters)
      throw badView('the view', `a text of ${value.length} characters, ${shown(value.slice(0, 20))}`, `texts of at most ${viewTextCharacters}`);
    const inner = innerValues(value);
    count += inner.length;
    if (count > viewValues) throw badView('the view', `more than ${viewValues} values`, `at most ${viewValues}`);
    if (depth > viewDepth && inner.length > 0) throw badView('the view', `values more than ${viewDepth} deep`, `at most ${viewDepth}`);
    for (const item of inner) open.push({ value: item, depth: depth + 1 });
  }
}

/** The named fields of an object; any other field is refused. */
export function fieldsOf<Name extends string>(value: unknown, { place }: Place, names: readonly Name[]): Readonly<Record<Name, Field>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw badView(place, kindOf(value), 'an object');
  const given = new Map<string, unknown>(Object.entries(value));
  const known: readonly string[] = names;
  const stranger = [...given.keys()].find((key) => !known.includes(key));
  if (stranger !== undefined) throw badView(place, `the field ${shown(stranger)}`, names.join(', '));
  const at = (name: string): Field => ({ place: place === 'the view' ? name : `${place}.${name}`, value: given.get(name) ?? undefined });
  // Every name is a key by construction.
  return Object.fromEntries(names.map((name) => [name, at(name)])) as Record<Name, Field>;
}

/** The items of a list, each with its place. */
export function listOf(value: unknown, { place }: Place, most: number): readonly Field[] {
  if (!Array.isArray(value)) throw badView(place, kindOf(value), 'a list');
  if (value.length > most) throw badView(place, `${value.length} items`, `at most ${most}`);
  return value.map((item: unknown, at) => ({ place: `${place}[${at}]`, value: item }));
}

/** A text that is not empty. */
export function textOf(value: unknown, { place }: Place): string {
  if (typeof value !== 'string') throw badView(place, kindOf(value), 'a text');
  if (value === '') throw badView(place, 'an empty text', 'a text');
  return checkedText(value, place);
}

/** A name of the view's own: of a column, of a constant, of the view (SQL on FHIR, invariant sql-name), at most 63 characters. */
export function nameOf(value: unknown, at: Place): string {
  const name = textOf(value, at);
  if (!/^[A-Za-z][A-Za-z0-9_]{0,62}$/.test(name)) throw badView(at.place, shown(name), 'a letter, then letters, digits and _, at most 63');
  return name;
}
