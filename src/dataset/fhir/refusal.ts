/** Refusals of views: at once, where the view is wrong, and from within DuckDB, where a resource does not hold what the view says. */
import type { SwarmError } from '../../common/index.ts';
import { datasetErrors } from '../errors.ts';
import { quotedText } from '../sql.ts';

/** Longest piece of a view that a message repeats. */
const shownCharacters = 80;

/** `text` in quotes, cut, and without control characters: a piece of a view as a message shows it. */
export function shown(text: string): string {
  const clean = text.slice(0, shownCharacters).replaceAll(/\p{C}/gu, '?');
  return `"${clean}${text.length > shownCharacters ? '…' : ''}"`;
}

/** What is wrong with a view: where, what stands there, what may stand there. */
export function badView(place: string, found: string, allowed: string): SwarmError {
  return datasetErrors.DATASET_BAD_VIEW({ place, found, allowed });
}

const mark = 'DATASET_VIEW_VALUE ';

/** SQL that ends the statement with DATASET_VIEW_VALUE where it is evaluated. `found` is fixed beforehand, so that no value of a resource is ever in the message. */
export function valueRefusal(place: string, found: string, allowed: string): string {
  return `error(${quotedText(`${mark}${JSON.stringify([place, found, allowed])}`)})`;
}

/** DATASET_VIEW_VALUE where `error` is DuckDB's report of a `valueRefusal`; undefined for everything else. */
export function viewValueError(error: unknown): SwarmError | undefined {
  const message = error instanceof Error ? error.message : '';
  const from = message.indexOf(mark);
  if (from < 0) return undefined;
  try {
    const parts: unknown = JSON.parse(message.slice(from + mark.length).split('\n')[0] ?? '');
    const [place, found, allowed] = Array.isArray(parts) ? parts.map(String) : [];
    return datasetErrors.DATASET_VIEW_VALUE({ place: place ?? '', found: found ?? '', allowed: allowed ?? '' }, error);
  } catch {
    return undefined;
  }
}
