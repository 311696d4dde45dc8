/** FHIR resources of a bulk export, flattened by a ViewDefinition. Binding child only. */
import type { SourceOf } from '../binding/schema.ts';
import { datasetErrors } from '../errors.ts';
import { compileView } from '../fhir/compile-view.ts';
import { viewValueError } from '../fhir/refusal.ts';
import { datasetLimits } from '../limits.ts';
import { fileText } from '../regular-file.ts';
import type { OpenSource } from './source.ts';

/** What DuckDB says of a line that is no resource, without its content. */
function jsonError(error: unknown, files: readonly string[], folder: string): Error | undefined {
  const message = error instanceof Error ? error.message : '';
  if (!/JSON/.test(message)) return undefined;
  const path = files.find((file) => message.includes(`"${file}"`)) ?? folder;
  const said = Number(/\bin line (\d+)/.exec(message)?.[1]);
  // Where a line is no JSON at all, this version of DuckDB has counted it already.
  const line = /Malformed JSON/.test(message) ? said - 1 : said;
  return datasetErrors.DATASET_UNREADABLE_FILE({ path, reason: `${Number.isNaN(line) ? 'a line' : `line ${line}`} is no resource as JSON` }, error);
}

async function viewFrom(path: string): Promise<unknown> {
  const text = await fileText(path, datasetLimits.viewSizeBytes);
  try {
    return JSON.parse(text);
  } catch (error) {
    throw datasetErrors.DATASET_UNREADABLE_FILE({ path, reason: 'it is no JSON' }, error);
  }
}

/** Compiles the view over the folder's files. Throws DATASET_BAD_VIEW; its rows may end in DATASET_VIEW_VALUE. */
export async function openFhir({ folder, view }: SourceOf<'fhir'>, files: readonly string[]): Promise<OpenSource> {
  const { sql } = compileView(await viewFrom(view), { kind: 'files', paths: files });
  return { select: sql, fault: (error) => viewValueError(error) ?? jsonError(error, files, folder) };
}
