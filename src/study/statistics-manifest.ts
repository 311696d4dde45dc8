/**
 * The schema of `study.toml` of a study that counts: `kind = "statistics"`. Its dimensions span a tree of cells (everything, then the values of the first
 * dimension, then within each those of the second, …), its variables are summed in every cell, its models are fitted over all rows.
 */
import { z } from 'zod';
import { studyLimits as limits } from './limits.ts';
import { budgetS, identifier, sharedSchema, sharedTerms, title, value } from './shared-manifest.ts';

/** A row whose value is not in the list, or is missing, counts in the cell above and in none of these. */
const dimension = z.strictObject({
  name: identifier,
  title: title.optional(),
  values: z.array(value).min(1).max(limits.valuesPerColumn),
  /** Words for the values, in their order. */
  labels: z.array(z.string().max(limits.titleCharacters)).optional(),
});

/** A number of the SELECT's result. `decimals` digits behind the point are summed exactly; the range bounds what one row can add. */
const variable = z.strictObject({
  name: identifier,
  title: title.optional(),
  minimum: z.number(),
  maximum: z.number(),
  decimals: z.int().min(0).max(6).default(0),
  /** Mean and standard deviation in each cell; false for columns that only models need. */
  table: z.boolean().default(true),
  /** Quantiles in each cell, told to within one of `bins` equal parts of the range. */
  quantiles: z.array(z.number().gt(0).lt(1)).min(1).max(16).optional(),
  bins: z.int().min(2).max(limits.bins).default(32),
});

/** A regression over all rows that have a value in each of its columns: maximum likelihood by Newton steps, each one secure sum. */
const model = z.strictObject({
  name: identifier,
  title: title.optional(),
  kind: z.enum(['linear', 'logistic', 'poisson']),
  outcome: identifier,
  predictors: z.array(identifier).min(1).max(limits.predictors),
  /** A variable that is added to the linear predictor as it is, such as the logarithm of the time at risk. */
  offset: identifier.optional(),
});

/** What no result may show; each site's own peer keeps to it before anything is masked. */
const disclosure = z.strictObject({
  /** Cells to which fewer sites contribute are empty for everybody, and stay unopened. */
  minSites: z.int().min(2).max(limits.members).default(3),
  /** Cells with fewer different units (persons) are shown by nobody. */
  minCount: z.int().min(3).max(100_000).default(5),
  /** Largest share of one site in a cell that is shown; 1 asks for no such check and saves a round. */
  dominance: z.number().gt(0.5).lte(1).default(0.85),
  /** Counts are rounded to multiples of this before anybody sees them. */
  rounding: z.int().min(1).max(1_000).default(1),
});

/** What `study.toml` of a study that counts may hold. */
export const statisticsSchema = z.strictObject({
  ...sharedSchema,
  kind: z.literal('statistics'),
  /** Column of the result that tells whom a row is about: a person, a case. It never leaves the site; small cells are counted in it. */
  unit: identifier,
  dimension: z.array(dimension).max(limits.dimensions).default([]),
  variable: z.array(variable).max(limits.variables).default([]),
  model: z.array(model).max(limits.models).default([]),
  /** Newton steps that all models take together. */
  steps: z.int().min(1).max(64).default(8),
  disclosure: disclosure.prefault({}),
  budgetS,
  terms: z.strictObject(sharedTerms).prefault({}),
});

/** A valid `study.toml` that counts, with every default filled in. */
export type StatisticsManifest = z.output<typeof statisticsSchema>;
/** One dimension of the tree of cells. */
export type StudyDimension = StatisticsManifest['dimension'][number];
/** One number of the SELECT's result. */
export type StudyVariable = StatisticsManifest['variable'][number];
/** One regression. */
export type StudyModel = StatisticsManifest['model'][number];
