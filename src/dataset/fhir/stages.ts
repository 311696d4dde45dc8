/** A statement that grows stage by stage: each stage is a common table expression over the one before, and names all its columns. */
import { quotedName } from '../sql.ts';
import type { Sql } from './value.ts';

/** A common table expression and its columns, all of them names of our own. */
export interface Stage {
  readonly name: string;
  readonly columns: readonly string[];
}

/** Collects the common table expressions of one statement, in the order in which they build on each other. */
export class Stages {
  readonly #parts: string[] = [];
  readonly #counts = new Map<string, number>();

  /** `prefix` and a number that it has not had yet. */
  fresh(prefix: string): string {
    const count = this.#counts.get(prefix) ?? 0;
    this.#counts.set(prefix, count + 1);
    return `${prefix}${count}`;
  }

  /** Adds a stage with the SELECT that gives exactly these columns. */
  add(columns: readonly string[], select: Sql): Stage {
    const name = this.fresh('s');
    this.#parts.push(`${name} AS (${select})`);
    return { name, columns };
  }

  /** One row for each item of `list`, as `item`, counted from 0 as `index`; with `orNull` one row with NULL for an empty list. */
  each(from: Stage, list: Sql, orNull: boolean): { readonly stage: Stage; readonly item: string; readonly index: string } {
    const [items, item, index] = [this.fresh('l'), this.fresh('v'), this.fresh('i')];
    const columns = from.columns.map((name) => `${name}, `).join('');
    const listed = `SELECT ${columns}${list} AS ${items} FROM ${from.name}`;
    const some = orNull ? `CASE WHEN len(${items}) = 0 THEN [NULL] ELSE ${items} END` : items;
    const stage = this.add(
      [...from.columns, item, index],
      `SELECT ${columns}unnest(${some}) AS ${item}, generate_subscripts(${some}, 1) - 1 AS ${index} FROM (${listed})`,
    );
    return { stage, item, index };
  }

  /**
   * One row for each item that `first` gives from a row and `next` from an item, again and again, in the order of a walk that goes down first.
   * `next` must go down in the resource: then it ends. `index` counts from 0 within each row of `from`.
   */
  repeated(from: Stage, first: Sql, next: (item: string) => Sql): { readonly stage: Stage; readonly item: string; readonly index: string } {
    const [row, items, item, way, index, walk] = [this.fresh('r'), this.fresh('l'), this.fresh('v'), this.fresh('w'), this.fresh('i'), this.fresh('s')];
    const columns = from.columns.map((name) => `${name}, `).join('');
    const numbered = this.add([...from.columns, row], `SELECT ${columns}row_number() OVER () AS ${row} FROM ${from.name}`);
    const start = `SELECT ${columns}${row}, unnest(${items}) AS ${item}, [generate_subscripts(${items}, 1)] AS ${way} FROM (SELECT ${columns}${row}, ${first} AS ${items} FROM ${numbered.name})`;
    const below = `SELECT ${columns}${row}, unnest(${items}) AS ${item}, list_append(${way}, generate_subscripts(${items}, 1)) AS ${way} FROM (SELECT ${columns}${row}, ${way}, ${next(item)} AS ${items} FROM ${walk})`;
    this.#parts.push(`${walk} AS (${start} UNION ALL ${below})`);
    const order = `row_number() OVER (PARTITION BY ${row} ORDER BY ${way}) - 1`;
    return { stage: this.add([...from.columns, item, index], `SELECT ${columns}${item}, ${order} AS ${index} FROM ${walk}`), item, index };
  }

  /** The whole statement: the cells of `columns` under their own names, from the last stage. */
  statement(source: { readonly stage: string; readonly sql: Sql }, from: Stage, columns: readonly { readonly name: string; readonly sql: Sql }[]): Sql {
    const cells = columns.map(({ name, sql }) => `${sql} AS ${quotedName(name)}`).join(', ');
    return `WITH RECURSIVE ${[`${source.stage} AS (${source.sql})`, ...this.#parts].join(', ')} SELECT ${cells} FROM ${from.name}`;
  }
}
