/** TOML that a person of the site wrote. */
import { parse, TomlError } from 'smol-toml';
import { datasetErrors } from './errors.ts';

/** The value of a text. Throws DATASET_BAD_TOML with its line. */
export function parsedToml(text: string, path: string): unknown {
  try {
    return parse(text);
  } catch (error) {
    const [line, column] = error instanceof TomlError ? [error.line, error.column] : [0, 0];
    const reason = error instanceof Error ? (error.message.split('\n')[0] ?? '') : 'unknown';
    throw datasetErrors.DATASET_BAD_TOML({ path, line, column, reason }, error);
  }
}
