/** The header line of a CSV file (RFC 4180), read by ourselves: guessing would skip lines, and then no line number is true. */
import { open } from 'node:fs/promises';
import { datasetErrors } from './errors.ts';
import { datasetLimits } from './limits.ts';
import { distinctNames } from './sources/names.ts';

/** Separator and column names; a name that repeats or is empty is replaced by its place. */
export interface CsvHeader {
  readonly separator: string;
  readonly names: readonly string[];
}

const separators = [',', ';', '\t', '|'];

/** The fields of the first record of `text` for one separator. */
function fieldsOf(text: string, separator: string): readonly string[] {
  const fields: string[] = [];
  let field = '';
  let quoted = false;
  for (const character of text) {
    if (character === '"') quoted = !quoted;
    else if (!quoted && (character === '\n' || character === '\r')) break;
    else if (!quoted && character === separator) {
      fields.push(field);
      field = '';
    } else field += character;
  }
  return [...fields, field].map((name) => name.trim());
}

/** The header of the file at `path`; the separator is `declared`, or the one that gives most columns. Throws DATASET_UNREADABLE_FILE where there is none. */
export async function readCsvHeader(path: string, declared?: string): Promise<CsvHeader> {
  await using file = await open(path);
  const { buffer, bytesRead } = await file.read(Buffer.alloc(datasetLimits.headerSizeBytes), 0, datasetLimits.headerSizeBytes, 0);
  const text = buffer
    .subarray(0, bytesRead)
    .toString('utf8')
    .replace(/^\uFEFF/, '');
  const [best = { separator: ',', names: [] }] = (declared === undefined ? separators : [declared])
    .map((separator) => ({ separator, names: fieldsOf(text, separator) }))
    .sort((a, b) => b.names.length - a.names.length);
  if (best.names.every((name) => name === '')) throw datasetErrors.DATASET_UNREADABLE_FILE({ path, reason: 'it has no header line' });
  if (best.names.length > datasetLimits.columns)
    throw datasetErrors.DATASET_TOO_LARGE({ what: `columns in ${path}`, found: best.names.length, limit: datasetLimits.columns });
  return { separator: best.separator, names: distinctNames(best.names) };
}
