/** What every kind of study says in `study.toml`: its words, the tables that it needs, and how its rounds go. */
import { z } from 'zod';
import { studyLimits as limits } from './limits.ts';

/** A name that SQL, files and reports can all carry. */
export const identifier = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,62}$/, 'a name of letters, digits and underscores, at most 63, not starting with a digit');
/** A text for people. */
export const text = z.string().trim().min(1, 'a text that is not empty').max(limits.textCharacters);
/** A short text for people. */
export const title = z.string().trim().min(1).max(limits.titleCharacters);
/** A value of a column. */
export const value = z.union([z.string().max(200), z.number(), z.boolean()]);
/** Seconds of local work in a round: a site that is not through with its steps by then counts with those that it did. */
export const budgetS = z.int().min(limits.budgetS.minimum).max(limits.budgetS.maximum).default(600);

const phaseS = (standard: number) => z.int().min(limits.phaseS.minimum).max(limits.phaseS.maximum).default(standard);

/** A column that the member's table must have; `datatype` is one of CSVW's (W3C Tabular Data, 2015). */
const column = z.strictObject({
  name: identifier,
  datatype: z.enum(['string', 'integer', 'number', 'boolean', 'date']),
  required: z.boolean().default(false),
  minimum: z.number().optional(),
  maximum: z.number().optional(),
  values: z.array(value).min(1).max(limits.valuesPerColumn).optional(),
});

const table = z.strictObject({ name: identifier, column: z.array(column).min(1).max(limits.columnsPerTable) });

/** Keys at the top of every `study.toml`. */
export const sharedSchema = {
  format: z.literal('schwarm.study/1'),
  title,
  question: text,
  purpose: text,
  table: z.array(table).min(1).max(limits.tables),
} as const;

/** Terms of every kind of study. */
export const sharedTerms = {
  minMembers: z.int().min(3).max(limits.members).default(3),
  maxAttempts: z.int().min(1).max(limits.attempts).default(4),
  /** The longest that a phase may take; COMMIT follows from the budget. The ledger sets shorter deadlines by the pace that it sees. */
  joinS: phaseS(120),
  shareS: phaseS(120),
  readyS: phaseS(600),
  revealS: phaseS(120),
  /** Each site keeps a record of each round, sealed to a key that it holds offline, with which it can show an auditor what it submitted. */
  audit: z.boolean().default(false),
} as const;

/** A table that a member binds files to, with the columns that the study's SELECT may see. */
export type StudyTable = z.output<typeof table>;
/** One declared column of a member's table. */
export type StudyColumn = StudyTable['column'][number];
