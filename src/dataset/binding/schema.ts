/** The schema of `binding.toml`, format `schwarm.binding/1`: where each table of a data set comes from, and in which form it is written there. */
import { z } from 'zod';
import { datasetLimits as limits } from '../limits.ts';
import { strptimeFormat } from '../text-form.ts';

const identifier = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,62}$/, 'a name of letters, digits and underscores, at most 63, not starting with a digit');
const path = z.string().min(1).max(limits.placeCharacters);
const paths = z.union([path, z.array(path).min(1).max(limits.files)]);
const code = z.string().max(limits.wordCharacters);
const words = z.array(code.min(1)).min(1).max(limits.words);
const sqlText = z.string().min(1).max(limits.siteSqlCharacters);
const name = z.string().min(1).max(limits.sourceNameCharacters);

/** How text cells are written; see `TextForm`. */
const textForm = {
  decimal: z.enum(['.', ',']).optional(),
  thousands: z.enum(['.', ',', ' ', "'"]).optional(),
  dateFormat: z
    .string()
    .max(32)
    .refine((format) => strptimeFormat(format) !== undefined, 'dd, mm and yyyy (or d, m, yy), once each, with . / - or a blank between, as "dd.mm.yyyy"')
    .optional(),
  trueWords: words.optional(),
  falseWords: words.optional(),
  missing: z.array(code).max(limits.words).optional(),
  missingIn: z.record(name, z.array(code).max(limits.words)).optional(),
};

/** Types of columns, for SELECTs of the site's own; without them its SELECT sees text. */
const types = z.record(name, z.enum(['string', 'integer', 'number', 'boolean', 'date'])).optional();

/** What a SELECT of the site calls the source. */
const shared = { name: identifier.default('source'), types };

export const encodings = ['utf-8', 'windows-1252', 'iso-8859-1', 'iso-8859-15', 'utf-16le'] as const;

const csv = z.strictObject({
  kind: z.literal('csv'),
  path: paths,
  /** As the WHATWG's encodings: `iso-8859-1` means windows-1252, as it does nearly everywhere. */
  encoding: z.enum(encodings).default('utf-8'),
  separator: z.enum([',', ';', '\t', '|']).optional(),
  ...shared,
  ...textForm,
});

const parquet = z.strictObject({ kind: z.literal('parquet'), path: paths, ...shared, ...textForm });

const sqlite = z.strictObject({ kind: z.literal('sqlite'), path, table: name.optional(), query: sqlText.optional(), ...shared, ...textForm });

const excel = z.strictObject({
  kind: z.literal('excel'),
  path,
  /** Its name, or its place, the first being 1. */
  sheet: z.union([name, z.int().min(1).max(1_024)]).default(1),
  /** Row with the names of the columns. */
  header: z.int().min(1).max(1_048_575).default(1),
  /** Cells to read, such as B2:F200, the names of the columns included. */
  range: z
    .string()
    .regex(/^[A-Z]{1,3}[1-9][0-9]{0,6}:[A-Z]{1,3}[1-9][0-9]{0,6}$/, 'a range as "B2:F200"')
    .optional(),
  ...shared,
  ...textForm,
});

const postgres = z.strictObject({
  kind: z.literal('postgres'),
  /** `postgres://user@host:5432/database`; no password and no options in it. A socket: `postgres://user@/database?host=/run/postgresql`. */
  url: z.string().min(1).max(limits.placeCharacters),
  /** A file with the password in its first line, that only this user can read. */
  passwordFile: path.optional(),
  /** `verify` checks the server's certificate and name; it is what counts unless the server is on this machine. */
  tls: z.enum(['verify', 'off']).optional(),
  /** PEM file with the certificate authority that the server's certificate comes from, where it is none that everybody knows. */
  certificate: path.optional(),
  schema: name.default('public'),
  table: name.optional(),
  query: sqlText.optional(),
  ...shared,
  ...textForm,
});

const fhir = z.strictObject({
  kind: z.literal('fhir'),
  /** A folder with the files of a bulk export: `*.ndjson`. */
  folder: path,
  /** A ViewDefinition of SQL on FHIR, as JSON. */
  view: path,
  ...shared,
});

const source = z.discriminatedUnion('kind', [csv, parquet, sqlite, excel, postgres, fhir]);

const table = z.strictObject({
  /** The table's name in studies. */
  name: identifier,
  source: z.union([source, z.array(source).min(1).max(limits.sources)]),
  /** One SELECT over the sources, by their names. */
  sql: sqlText.optional(),
  /** Only rows whose column has one of the values are kept. */
  consent: z
    .strictObject({
      column: name,
      values: z
        .array(z.union([z.string().max(limits.wordCharacters), z.number(), z.boolean()]))
        .min(1)
        .max(limits.words),
    })
    .optional(),
});

/** What `binding.toml` may hold. */
export const bindingSchema = z.strictObject({
  format: z.literal('schwarm.binding/1'),
  table: z.array(table).min(1).max(limits.boundTables),
});

/** A valid `binding.toml`. */
export type BindingFile = z.output<typeof bindingSchema>;
export type TableBinding = BindingFile['table'][number];
/** One source of one table. */
export type Source = z.output<typeof source>;
export type SourceOf<Kind extends Source['kind']> = Extract<Source, { readonly kind: Kind }>;
