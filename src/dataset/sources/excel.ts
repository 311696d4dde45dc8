/** A sheet of an Excel workbook (.xlsx): rows in passing, dates as dates, formulas by the value that was stored with them. Binding child only. */
import { readFile } from 'node:fs/promises';
import { type CellValue, streamXlsxRows } from 'hucre/xlsx';
import { isSwarmError } from '../../common/index.ts';
import type { SourceOf } from '../binding/schema.ts';
import { placeColumn } from '../file-form.ts';
import { datasetLimits } from '../limits.ts';
import type { TextForm } from '../text-form.ts';
import { type Cell, CellTable } from './cell-table.ts';
import { type OpenSource, readSource, type SourceContext, sourceFailed } from './source.ts';
import { zipContents } from './zip-entries.ts';

function cellOf(value: CellValue | undefined): Cell {
  if (value === null || value === undefined || value === '') return undefined;
  if (typeof value === 'string') return { kind: 'text', text: value };
  if (typeof value === 'boolean') return { kind: 'boolean', text: String(value) };
  if (typeof value === 'number') return { kind: Number.isSafeInteger(value) ? 'integer' : 'number', text: String(value) };
  if (Number.isNaN(value.getTime())) return { kind: 'text', text: 'no date' };
  const text = value.toISOString();
  return text.endsWith('T00:00:00.000Z') ? { kind: 'date', text: text.slice(0, 10) } : { kind: 'moment', text: text.slice(0, -1) };
}

/** The workbook's bytes, refused where they would unpack to more than there is room for. */
async function packedBytes(path: string, context: SourceContext): Promise<Uint8Array> {
  const bytes = new Uint8Array(await readFile(path));
  if (bytes.length > datasetLimits.excelSizeBytes)
    throw sourceFailed(context, path, `it has ${bytes.length} bytes; at most ${datasetLimits.excelSizeBytes} are allowed`);
  const contents = zipContents(bytes);
  if (contents === undefined) throw sourceFailed(context, path, 'it is no .xlsx workbook, or a damaged one');
  const { unpackedBytes, entries } = contents;
  if (unpackedBytes > datasetLimits.excelUnpackedBytes || entries > datasetLimits.excelEntries)
    throw sourceFailed(
      context,
      path,
      `it would unpack to ${unpackedBytes} bytes in ${entries} parts; at most ${datasetLimits.excelUnpackedBytes} in ${datasetLimits.excelEntries} are allowed`,
    );
  return bytes;
}

/** Index of the first column of a range, and the column after its last. */
function columnsOf(range: string | undefined): readonly [number, number | undefined] {
  const places = range?.split(':').map((corner) => [...corner.replace(/[0-9]+$/, '')].reduce((sum, letter) => 26 * sum + letter.charCodeAt(0) - 64, 0) - 1);
  return [places?.[0] ?? 0, places?.[1] === undefined ? undefined : places[1] + 1];
}

function firstRow(range: string | undefined, header: number): number {
  return Math.max(header, Number(/[0-9]+/.exec(range ?? '')?.[0] ?? 1));
}

/** Appends the rows below the one that names the columns; undefined where there is no such row. */
async function readRows(bytes: Uint8Array, source: SourceOf<'excel'>, form: TextForm, context: SourceContext): Promise<CellTable | undefined> {
  const { path, sheet, range } = source;
  const [from, to] = columnsOf(range);
  const headerIndex = firstRow(range, source.header) - 1;
  let table: CellTable | undefined;
  for await (const { index, values } of streamXlsxRows(bytes, {
    sheet: typeof sheet === 'number' ? sheet - 1 : sheet,
    ...(range === undefined ? {} : { range }),
  })) {
    const cells = values.slice(from, to).map(cellOf);
    if (index < headerIndex || cells.every((cell) => cell === undefined)) continue;
    if (table !== undefined) {
      table.append((at) => (at === 0 ? { kind: 'integer', text: String(index + 1) } : cells[at - 1]));
      continue;
    }
    if (index > headerIndex) throw sourceFailed(context, path, `row ${headerIndex + 1} of sheet ${sheet}, which should name the columns, is empty`);
    const names = cells.map((cell) => cell?.text ?? '');
    table = await CellTable.create(context.connection, context.scratch, [placeColumn, ...names], form);
  }
  return table;
}

/** Reads the sheet into a table of its own. Throws DATASET_SOURCE_FAILED. */
export async function openExcel(source: SourceOf<'excel'>, form: TextForm, context: SourceContext): Promise<OpenSource> {
  const { path, sheet, range, header } = source;
  const bytes = await packedBytes(path, context);
  const table = await readRows(bytes, source, form, context).catch((error: unknown) => {
    if (isSwarmError(error)) throw error;
    const encrypted = error instanceof Error && error.name === 'EncryptedFileError';
    throw sourceFailed(context, path, encrypted ? 'the workbook is encrypted' : 'it is a damaged workbook', error);
  });
  if (table === undefined) throw sourceFailed(context, path, `it has no sheet ${sheet}, or nothing from row ${firstRow(range, header)} on`);
  return readSource(table.finish(), 'row');
}
