/** What a run that counted has found, for people: cells by name, regressions by the names of their columns. */
import { type CellResult, CellTree, type CountState, cellResults, type ModelResult, modelResults } from '../aggregation/index.ts';
import type { StatisticsManifest } from '../study/index.ts';
import { tableTerms } from './table-terms.ts';

/** One value of one dimension. */
export interface CellPlace {
  readonly dimension: string;
  readonly value: string | number | boolean;
  readonly label: string;
}

/** The tables and regressions of a run. */
export interface Counted {
  readonly manifest: StatisticsManifest;
  readonly cells: readonly { readonly place: readonly CellPlace[]; readonly result: CellResult }[];
  readonly models: readonly { readonly name: string; readonly columns: readonly string[]; readonly result: ModelResult }[];
}

/** Reads the last state of a run over `members` members. */
export function countedIn(manifest: StatisticsManifest, members: number, state: CountState): Counted {
  const terms = tableTerms(manifest, members);
  const tree = new CellTree(terms.widths);
  const placeOf = (cell: number): readonly CellPlace[] =>
    tree.pathOf(cell).flatMap((at, level) => {
      const { name, values, labels } = manifest.dimension[level] ?? { name: '', values: [] };
      const value = values[at];
      return value === undefined ? [] : [{ dimension: name, value, label: labels?.[at] ?? String(value) }];
    });
  return {
    manifest,
    cells: cellResults(terms, state).map((result, cell) => ({ place: placeOf(cell), result })),
    models: modelResults(terms, state).map((result, at) => {
      const { name = '', predictors = [] } = manifest.model[at] ?? {};
      return { name, columns: ['(constant)', ...predictors], result };
    }),
  };
}
