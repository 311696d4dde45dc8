/** A ViewDefinition (SQL on FHIR 2.1) from JSON that nobody has looked at: every part is checked, every path parsed, and whatever would be ignored is refused. */
import { datasetLimits } from '../limits.ts';
import type { Expression } from './ast.ts';
import { type Category, primitives } from './fhir-types.ts';
import { parsePath } from './grammar.ts';
import { badView, shown } from './refusal.ts';
import { momentTexts } from './tokens.ts';
import { checkBounds, fieldsOf, listOf, nameOf, type Place, textOf } from './view-fields.ts';

/** A parsed path and where it stands. */
export interface ViewPath {
  readonly expression: Expression;
  readonly place: string;
}

export interface ViewColumn {
  readonly name: string;
  readonly path: ViewPath;
  /** A FHIR primitive; undefined where the view leaves it to the path. */
  readonly type: string | undefined;
  readonly collection: boolean;
}

/** What a select does to its rows before it reads columns. */
export type Iteration =
  | { readonly kind: 'once' }
  | { readonly kind: 'each'; readonly path: ViewPath; readonly orNull: boolean }
  | { readonly kind: 'repeat'; readonly paths: readonly ViewPath[] };

export interface ViewSelect {
  readonly place: string;
  readonly iteration: Iteration;
  readonly columns: readonly ViewColumn[];
  readonly selects: readonly ViewSelect[];
  readonly union: readonly ViewSelect[];
}

/** The value as it stands in the view; `type` is a FHIR primitive. */
export interface ViewConstant {
  readonly name: string;
  readonly type: string;
  readonly value: string | number | boolean;
  readonly place: string;
}

export interface View {
  readonly resource: string;
  readonly constants: readonly ViewConstant[];
  readonly selects: readonly ViewSelect[];
  readonly conditions: readonly ViewPath[];
}

/** Metadata that changes no row. */
const described =
  'resourceType id meta implicitRules language text contained extension url identifier version versionAlgorithmString versionAlgorithmCoding name title status ' +
  'experimental date publisher contact description useContext jurisdiction purpose copyright copyrightLabel fhirVersion profile';
const viewFields = [...described.split(' '), 'resource', 'constant', 'select', 'where'];
const noted = ['id', 'extension', 'description'] as const;

function pathOf(value: unknown, at: Place): ViewPath {
  return { expression: parsePath(textOf(value, at), at.place), place: at.place };
}

function columnOf(value: unknown, at: Place): ViewColumn {
  const fields = fieldsOf(value, at, ['name', 'path', 'type', 'collection', 'tag', ...noted]);
  const type = fields.type.value === undefined ? undefined : textOf(fields.type.value, fields.type);
  if (type !== undefined && !primitives.has(type)) throw badView(fields.type.place, shown(type), `a primitive type: ${[...primitives.keys()].join(', ')}`);
  const collection = fields.collection.value ?? false;
  if (typeof collection !== 'boolean') throw badView(fields.collection.place, `a ${typeof collection}`, 'true or false');
  return { name: nameOf(fields.name.value, fields.name), path: pathOf(fields.path.value, fields.path), type, collection };
}

function iterationOf(fields: ReturnType<typeof fieldsOf<'forEach' | 'forEachOrNull' | 'repeat'>>, at: Place): Iteration {
  const { forEach, forEachOrNull, repeat } = fields;
  const given = [forEach, forEachOrNull, repeat].filter(({ value }) => value !== undefined);
  if (given.length > 1)
    throw badView(at.place, given.map(({ place }) => place.split('.').at(-1)).join(' and '), 'only one of forEach, forEachOrNull and repeat');
  if (forEach.value !== undefined) return { kind: 'each', path: pathOf(forEach.value, forEach), orNull: false };
  if (forEachOrNull.value !== undefined) return { kind: 'each', path: pathOf(forEachOrNull.value, forEachOrNull), orNull: true };
  if (repeat.value === undefined) return { kind: 'once' };
  const paths = listOf(repeat.value, repeat, datasetLimits.viewRepeatPaths).map(({ value, ...place }) => pathOf(value, place));
  if (paths.length === 0) throw badView(repeat.place, 'an empty list', 'at least one path');
  return { kind: 'repeat', paths };
}

/** Counts selects over the whole view. */
interface Count {
  selects: number;
}

function selectOf(value: unknown, at: Place, depth: number, count: Count): ViewSelect {
  const { viewSelects, viewSelectDepth, viewColumns } = datasetLimits;
  if (depth > viewSelectDepth) throw badView(at.place, `selects more than ${viewSelectDepth} deep`, `at most ${viewSelectDepth}`);
  if (++count.selects > viewSelects) throw badView(at.place, `more than ${viewSelects} selects`, `at most ${viewSelects} in a view`);
  const fields = fieldsOf(value, at, ['column', 'select', 'unionAll', 'forEach', 'forEachOrNull', 'repeat', ...noted]);
  const below = (field: 'select' | 'unionAll') =>
    listOf(fields[field].value ?? [], fields[field], viewSelects).map(({ value: inner, ...place }) => selectOf(inner, place, depth + 1, count));
  return {
    place: at.place,
    iteration: iterationOf(fields, at),
    columns: listOf(fields.column.value ?? [], fields.column, viewColumns).map(({ value: column, ...place }) => columnOf(column, place)),
    selects: below('select'),
    union: below('unionAll'),
  };
}

function constantOf(value: unknown, at: Place): ViewConstant {
  const typed = [...primitives.keys()]
    .filter((type) => type !== 'xhtml')
    .map((type) => ({ type, field: `value${type.slice(0, 1).toUpperCase()}${type.slice(1)}` }));
  const fields = fieldsOf(value, at, ['name', ...typed.map(({ field }) => field), ...noted]);
  const name = nameOf(fields['name']?.value, fields['name'] ?? at);
  const given = typed.filter(({ field }) => fields[field]?.value !== undefined);
  const [first] = given;
  if (first === undefined || given.length > 1) throw badView(at.place, `${given.length} values for the constant "${name}"`, 'exactly one, such as valueString');
  const { place, value: found } = fields[first.field] ?? { ...at, value: undefined };
  return { name, type: first.type, value: constantValue(found, primitives.get(first.type)?.category, place), place };
}

function constantValue(found: unknown, category: Category | undefined, place: string): string | number | boolean {
  const wanted = category === 'boolean' || category === 'number' ? category : 'string';
  const moment = category === 'date' || category === 'dateTime' || category === 'time' ? momentTexts[category] : undefined;
  if (moment !== undefined && typeof found === 'string' && !moment.test(found)) throw badView(place, shown(found), `a ${category} as FHIR writes it`);
  if (wanted === 'string' && typeof found === 'string') return textOf(found, { place });
  if (wanted === 'number' && typeof found === 'number' && Number.isFinite(found)) return found;
  if (wanted === 'boolean' && typeof found === 'boolean') return found;
  throw badView(place, `a ${typeof found}`, `a ${wanted}`);
}

/** Reads a ViewDefinition. Throws DATASET_BAD_VIEW with the place, what was found and what is allowed. */
export function parseView(view: unknown): View {
  checkBounds(view);
  const root: Place = { place: 'the view' };
  const fields = fieldsOf(view, root, viewFields);
  const field = (name: string) => fields[name] ?? { place: name, value: undefined };
  const resource = textOf(field('resource').value, field('resource'));
  if (!/^[A-Z][A-Za-z]{1,63}$/.test(resource)) throw badView('resource', shown(resource), 'the type of a FHIR resource, such as Patient');
  if (field('name').value !== undefined) nameOf(field('name').value, field('name'));
  const constants = listOf(field('constant').value ?? [], field('constant'), datasetLimits.viewConstants).map(({ value, ...at }) => constantOf(value, at));
  const twice = constants.find(({ name }, at) => constants.findIndex((other) => other.name === name) !== at);
  if (twice !== undefined) throw badView(twice.place, `a second constant "${twice.name}"`, 'each name once');
  const count: Count = { selects: 0 };
  const selects = listOf(field('select').value, field('select'), datasetLimits.viewSelects).map(({ value, ...at }) => selectOf(value, at, 1, count));
  const conditions = listOf(field('where').value ?? [], field('where'), datasetLimits.viewConditions).map(({ value, ...at }) => {
    const { path } = fieldsOf(value, at, ['path', ...noted]);
    return pathOf(path.value, path);
  });
  return { resource, constants, selects, conditions };
}
