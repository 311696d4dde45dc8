/** How the bytes of one bound file become columns: what the site declared, or what the file's name says. */
import { extname } from 'node:path';
import type { TextForm } from './text-form.ts';

/** A CSV file in UTF-8. Without `separator` the header line tells it. */
export interface CsvForm {
  readonly kind: 'csv';
  readonly separator?: string | undefined;
  readonly text: TextForm;
}

/** A Parquet file. Where it is a snapshot of lines or rows, one of its columns says of which. */
export interface ParquetForm {
  readonly kind: 'parquet';
  readonly text: TextForm;
  readonly places?: 'line' | 'row' | undefined;
}

export type FileForm = CsvForm | ParquetForm;

/** Column of a snapshot that holds the line or row of its source; no study can declare a name like it. */
export const placeColumn = '#place';

/** The form of a file that is bound without a binding file; undefined where its name tells none. */
export function formByName(path: string): FileForm | undefined {
  const extension = extname(path).toLowerCase();
  if (extension === '.parquet') return { kind: 'parquet', text: {} };
  return ['.csv', '.tsv', '.txt', ''].includes(extension) ? { kind: 'csv', text: {} } : undefined;
}
