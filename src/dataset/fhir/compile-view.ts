/**
 * A ViewDefinition as one SELECT. Rows go through stages: the resources of the type for which every condition holds; one stage more for each forEach,
 * forEachOrNull and repeat, which multiplies its rows; for unionAll, one stage that puts the rows of its branches below each other.
 * Cells are computed where their rows are complete: at the end, or at the end of a branch.
 */
import { datasetLimits } from '../limits.ts';
import type { Expression } from './ast.ts';
import { cellOf } from './column.ts';
import { compilePath } from './compile-path.ts';
import { primitives } from './fhir-types.ts';
import { badView } from './refusal.ts';
import { conditionOf } from './scalars.ts';
import { Fields, type ViewSource } from './source.ts';
import { type Stage, Stages } from './stages.ts';
import {
  booleanValue,
  type Compilation,
  type Item,
  listOf,
  momentValue,
  named,
  numberValue,
  one,
  type Scope,
  type Sql,
  textValue,
  type Value,
} from './value.ts';
import { parseView, type View, type ViewConstant, type ViewPath, type ViewSelect } from './view.ts';

/** The SELECT, and the columns of its result in order, each with DuckDB's type. */
export interface CompiledView {
  readonly sql: string;
  readonly columns: readonly { readonly name: string; readonly type: string }[];
}

interface Cells {
  readonly stage: Stage;
  readonly columns: readonly { readonly name: string; readonly type: string; readonly sql: Sql }[];
}

/** What paths of a select start from. */
interface Focus {
  readonly value: Value;
  readonly rowIndex: Sql;
}

function constantItem({ type, value }: ViewConstant): Item {
  if (typeof value === 'boolean') return booleanValue(value);
  if (typeof value === 'number') return numberValue(String(value));
  const category = primitives.get(type)?.category;
  return category === 'date' || category === 'dateTime' || category === 'time' ? momentValue(value, category) : textValue(value);
}

/** Whether what the path gives is always below what it starts from, so that repeating it ends. */
function goesDown(expression: Expression | undefined): boolean {
  if (expression?.kind === 'member') return true;
  if (expression?.kind === 'index') return goesDown(expression.of);
  return expression?.kind === 'call' && (expression.name === 'extension' || goesDown(expression.of));
}

class ViewCompiler {
  readonly #fields = new Fields();
  readonly #stages = new Stages();
  readonly #view: View;
  readonly #compilation: Compilation;

  constructor(view: View) {
    this.#view = view;
    this.#compilation = {
      resource: view.resource,
      constants: new Map(view.constants.map((constant) => [constant.name, constantItem(constant)])),
      field: (name, place) => this.#fields.column(name, place),
      variable: () => this.#stages.fresh('x'),
    };
  }

  #scope({ place }: ViewPath, focus: Focus, expected?: Scope['expected']): Scope {
    return { compilation: this.#compilation, place, focus: focus.value, rowIndex: focus.rowIndex, criteria: 0, expected };
  }

  whole(source: ViewSource): CompiledView {
    const root: Focus = { value: { kind: 'resource', kept: undefined }, rowIndex: '0' };
    const conditions = this.#conditions(root);
    const start: Stage = { name: 's', columns: [Fields.struct] };
    const { stage, columns } = this.#selects(start, root, this.#view.selects);
    this.#checkColumns(columns.map(({ name }) => name));
    const rows = this.#fields.select(source);
    const sql = this.#stages.statement({ stage: 's', sql: `SELECT * FROM (${rows}) WHERE ${conditions}` }, stage, columns);
    if (sql.length > datasetLimits.viewSqlCharacters)
      throw badView('the view', `${sql.length} characters of SQL`, `at most ${datasetLimits.viewSqlCharacters}`);
    return { sql, columns: columns.map(({ name, type }) => ({ name, type })) };
  }

  /** One after the other, so that none is evaluated for resources that were left out before. */
  #conditions(root: Focus): Sql {
    const type = `${this.#fields.column('resourceType', 'resource')} = to_json(${textValue(this.#view.resource).sql})`;
    const compiled = this.#view.conditions.map((path) => {
      const scope = this.#scope(path, root);
      return conditionOf(scope, compilePath(path.expression, scope));
    });
    return [type, ...compiled].reduceRight((rest, condition) => `CASE WHEN ${condition} THEN ${rest} ELSE FALSE END`, 'TRUE');
  }

  #checkColumns(names: readonly string[]): void {
    const { viewColumns } = datasetLimits;
    if (names.length === 0) throw badView('select', 'no column', 'at least one');
    if (names.length > viewColumns) throw badView('select', `${names.length} columns`, `at most ${viewColumns}`);
    const seen = new Set<string>();
    for (const name of names) {
      if (seen.has(name.toLowerCase())) throw badView('select', `a second column "${name}"`, 'each name once, upper and lower case being the same');
      seen.add(name.toLowerCase());
    }
  }

  #selects(from: Stage, focus: Focus, selects: readonly ViewSelect[]): Cells {
    let stage = from;
    const columns: Cells['columns'][number][] = [];
    for (const select of selects) {
      const cells = this.#select(stage, focus, select);
      stage = cells.stage;
      columns.push(...cells.columns);
    }
    return { stage, columns };
  }

  #select(from: Stage, outer: Focus, select: ViewSelect): Cells {
    const { stage: entered, focus } = this.#iterated(from, outer, select);
    const own = select.columns.map((column) => {
      const scope = this.#scope(column.path, focus, column.type === undefined ? undefined : primitives.get(column.type)?.category);
      return { name: column.name, ...cellOf(scope, compilePath(column.path.expression, scope), column) };
    });
    const inner = this.#selects(entered, focus, select.selects);
    const united = this.#united(inner.stage, focus, select);
    return { stage: united.stage, columns: [...own, ...inner.columns, ...united.columns] };
  }

  #iterated(from: Stage, outer: Focus, { iteration }: ViewSelect): { readonly stage: Stage; readonly focus: Focus } {
    if (iteration.kind === 'once') return { stage: from, focus: outer };
    if (iteration.kind === 'repeat') return this.#repeated(from, outer, iteration.paths);
    const scope = this.#scope(iteration.path, outer);
    const value = compilePath(iteration.path.expression, scope);
    if (value.kind === 'resource') throw badView(scope.place, named(value), 'a path to an element');
    const { stage, item, index } = this.#stages.each(from, listOf(scope, value), iteration.orNull);
    return { stage, focus: { value: one(value, item), rowIndex: index } };
  }

  #repeated(from: Stage, outer: Focus, paths: readonly ViewPath[]): { readonly stage: Stage; readonly focus: Focus } {
    const lists = (focus: Focus): Sql => {
      const each = paths.map((path) => {
        if (!goesDown(path.expression)) throw badView(path.place, 'a path that stays where it is', 'a path that begins with an element below, such as item');
        const scope = this.#scope(path, focus);
        const value = compilePath(path.expression, scope);
        if (value.kind !== 'element') throw badView(path.place, named(value), 'a path to an element');
        return listOf(scope, value);
      });
      return each.length === 1 ? each.join() : `flatten([${each.join(', ')}])`;
    };
    const below = (item: string): Focus => ({
      value: { kind: 'element', many: false, sql: item, category: undefined, plain: false },
      rowIndex: outer.rowIndex,
    });
    const { stage, item, index } = this.#stages.repeated(from, lists(outer), (name) => lists(below(name)));
    return { stage, focus: { ...below(item), rowIndex: index } };
  }

  #united(from: Stage, focus: Focus, { union, place }: ViewSelect): Cells {
    const branches = union.map((select) => this.#select(from, focus, select));
    const [first] = branches;
    if (first === undefined) return { stage: from, columns: [] };
    const said = ({ columns }: Cells) => columns.map(({ name, type }) => `${name} ${type}`).join(', ');
    const other = branches.findIndex((branch) => said(branch) !== said(first));
    if (other > 0)
      throw badView(`${place}.unionAll[${other}]`, `the columns ${said(branches[other] ?? first)}`, `those of the first branch, in its order: ${said(first)}`);
    const names = first.columns.map(() => this.#stages.fresh('u'));
    const rows = branches.map(({ stage, columns }) => {
      const cells = columns.map(({ sql }, at) => `${sql} AS ${names[at]}`);
      return `SELECT ${[...from.columns, ...cells].join(', ')} FROM ${stage.name}`;
    });
    const stage = this.#stages.add([...from.columns, ...names], rows.join(' UNION ALL '));
    return { stage, columns: first.columns.map(({ name, type }, at) => ({ name, type, sql: names[at] ?? 'NULL' })) };
  }
}

/** Compiles a ViewDefinition over resources in `source`. Throws DATASET_BAD_VIEW. The SELECT itself may end in what `viewValueError` makes DATASET_VIEW_VALUE. */
export function compileView(view: unknown, source: ViewSource): CompiledView {
  return new ViewCompiler(parseView(view)).whole(source);
}
