/** From a study that counts to what its sums need to know: names become places. */
import type { TableTerms } from '../aggregation/index.ts';
import type { StatisticsManifest } from '../study/index.ts';

/** The terms over `members` members. */
export function tableTerms({ dimension, variable, model, steps, disclosure }: StatisticsManifest, members: number): TableTerms {
  const placeOf = (name: string): number => variable.findIndex((one) => one.name === name);
  return {
    members,
    widths: dimension.map(({ values }) => values.length),
    variables: variable.map(({ minimum, maximum, decimals, table, quantiles, bins }) => ({
      minimum,
      maximum,
      decimals,
      table,
      quantiles: quantiles ?? [],
      bins: quantiles ? bins : 0,
    })),
    models: model.map(({ kind, outcome, predictors, offset }) => ({
      kind,
      outcome: placeOf(outcome),
      predictors: predictors.map(placeOf),
      ...(offset === undefined ? {} : { offset: placeOf(offset) }),
    })),
    steps,
    ...disclosure,
  };
}
