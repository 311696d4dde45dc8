/** Where the resources are: files of bulk NDJSON, or a table with one resource in each row. Either way the elements that a view names become columns of JSON. */
import { quotedName, quotedText } from '../sql.ts';
import { badView, shown } from './refusal.ts';
import type { Sql } from './value.ts';

/** Files are read when the statement runs, so they must be in reach then; a table's `column` is of type JSON or VARCHAR. */
export type ViewSource =
  | { readonly kind: 'files'; readonly paths: readonly string[] }
  | { readonly kind: 'table'; readonly table: string; readonly column: string };

/** A path as a pattern that matches nothing else: DuckDB takes every path for one. */
function literalPath(path: string): string {
  return path.replaceAll(/[*?[]/g, (sign) => `[${sign}]`);
}

/** The elements of resources that a view reads, each once: the fields of the struct `e` in every row. So a stage is known before all elements are. */
export class Fields {
  readonly #columns = new Map<string, string>();

  /** The column of the struct. */
  static readonly struct = 'e';

  /** What holds the element `name`; names come from the grammar and hold letters, digits and _ only. Throws DATASET_BAD_VIEW where two differ only in case. */
  column(name: string, place: string): string {
    const known = this.#columns.get(name);
    if (known !== undefined) return known;
    const other = [...this.#columns.keys()].find((key) => key.toLowerCase() === name.toLowerCase());
    if (other !== undefined) throw badView(place, `the elements ${shown(other)} and ${shown(name)}`, 'names that differ in more than case');
    const column = `${Fields.struct}.f${this.#columns.size}`;
    this.#columns.set(name, column);
    return column;
  }

  /** The SELECT that gives the struct. A file is parsed once, whatever the number of elements; `records` makes a line that is no object an error. */
  select(source: ViewSource): Sql {
    const names = [...this.#columns.keys()];
    const struct = (of: (name: string, at: number) => Sql) =>
      `struct_pack(${names.map((name, at) => `f${at} := ${of(name, at)}`).join(', ')}) AS ${Fields.struct}`;
    if (source.kind === 'files') {
      const read = names.map((name) => `${quotedText(name)}: 'JSON'`).join(', ');
      const paths = source.paths.map((path) => quotedText(literalPath(path))).join(', ');
      return `SELECT ${struct(quotedName)} FROM read_json([${paths}], format = 'newline_delimited', records = 'true', hive_partitioning = false, columns = {${read}})`;
    }
    const paths = names.map((name) => quotedText(`$."${name}"`)).join(', ');
    const extracted = `json_extract(CAST(${quotedName(source.column)} AS JSON), [${paths}])`;
    return `SELECT ${struct((_, at) => `x[${at + 1}]`)} FROM (SELECT ${extracted} AS x FROM ${quotedName(source.table)})`;
  }
}
