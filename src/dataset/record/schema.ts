/**
 * The schema of `record.toml`, format `schwarm.record/1`: what a member says of a data set to all others, and nothing else. Its fields are those of
 * HealthDCAT-AP Release 8 with the columns of CSVW; shares, deciles and rank correlations are what a steward chooses to publish of the rows.
 */
import { z } from 'zod';
import { datasetLimits as limits } from '../limits.ts';

const identifier = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,62}$/, 'a name of letters, digits and underscores, at most 63, not starting with a digit');
const text = z.string().trim().min(1, 'a text that is not empty').max(limits.recordTextCharacters);
const share = z.number().min(0).max(1);
const date = z.iso.date('a date such as 2025-12-31');

/** A text in German, English or both. */
const words = z
  .strictObject({ de: text.optional(), en: text.optional() })
  .refine(({ de, en }) => de !== undefined || en !== undefined, 'a text in de, en or both');

const value = z.strictObject({ value: z.union([z.string().max(200), z.number(), z.boolean()]), title: words.optional(), share: share.optional() });

/** A column: what it means, and what its values are like. `deciles` are the 0 %, 10 % … 100 % points. */
const column = z.strictObject({
  name: identifier,
  title: words.optional(),
  description: words.optional(),
  datatype: z.enum(['string', 'integer', 'number', 'boolean', 'date']),
  /** UCUM. */
  unit: z.string().max(64).optional(),
  /** Where the values come from, such as ICD-10-GM 2026, LOINC, AGS. */
  coding: z.strictObject({ system: text, version: z.string().max(64).optional() }).optional(),
  required: z.boolean().default(false),
  /** Tells rows of this table apart. */
  key: z.boolean().default(false),
  /** `table.column` of the same record whose values these are. */
  references: z
    .string()
    .regex(/^[A-Za-z_]\w*\.[A-Za-z_]\w*$/, 'TABLE.COLUMN')
    .optional(),
  minimum: z.number().optional(),
  maximum: z.number().optional(),
  decimals: z.int().min(0).max(6).default(0),
  from: date.optional(),
  to: date.optional(),
  /** A date column of the same row that is never later. */
  notBefore: identifier.optional(),
  values: z.array(value).min(1).max(limits.recordValues).optional(),
  deciles: z.array(z.number()).length(11, 'eleven numbers: the 0 %, 10 % … 100 % points').optional(),
  /** Share of rows without a value. */
  missing: z.number().min(0).lt(1).default(0),
});

/** Two columns that go together: Spearman's rank correlation. */
const together = z.strictObject({ columns: z.tuple([identifier, identifier]), rank: z.number().min(-1).max(1) });

const table = z.strictObject({
  name: identifier,
  title: words.optional(),
  column: z.array(column).min(1).max(limits.recordColumns),
  together: z.array(together).max(limits.recordColumns).default([]),
});

/** What `record.toml` may hold. */
export const recordSchema = z.strictObject({
  format: z.literal('schwarm.record/1'),
  /** The same in all versions of the record. */
  name: identifier,
  title: words,
  description: words,
  keywords: z.array(text).min(1).max(64),
  /** Of the health categories of the EHDS regulation (EU) 2025/327, article 51. */
  categories: z.array(text).min(1).max(32),
  purposes: z.array(words).max(32).default([]),
  legalBasis: z.array(text).max(32).default([]),
  population: words.optional(),
  period: z.strictObject({ from: date, to: date }).optional(),
  /** Keys of the regions that it covers, such as AGS or NUTS. */
  regions: z.array(z.string().max(64)).max(limits.recordValues).default([]),
  provenance: words,
  contact: z.strictObject({ name: text, email: z.email().optional(), url: z.url().optional() }),
  access: z.enum(['non-public', 'restricted', 'public']).default('non-public'),
  licence: z.url().optional(),
  /** Rounded as the steward likes; left out where even that says too much. */
  rows: z.int().min(0).optional(),
  /** false for a source that this member does not hold: then `route` says how to come by it. */
  held: z.boolean().default(true),
  route: words.optional(),
  table: z.array(table).min(1).max(limits.recordTables),
});

/** A valid record with every default filled in. */
export type DatasetRecord = z.output<typeof recordSchema>;
/** One table of a record. */
export type RecordedTable = DatasetRecord['table'][number];
/** One column of a record. */
export type RecordedColumn = RecordedTable['column'][number];
