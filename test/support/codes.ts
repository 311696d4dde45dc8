/** What came of work that may throw: `done`, the code of one of our errors, or the text of any other. */
import { isSwarmError } from '../../src/common/index.ts';

export function codeOf(work: () => unknown): string {
  try {
    work();
    return 'done';
  } catch (error) {
    return isSwarmError(error) ? error.code : String(error);
  }
}

/** The error of ours that work ends with, to be held against code and detail. */
export function refusalOf(work: () => unknown): unknown {
  try {
    work();
    return undefined;
  } catch (error) {
    return error;
  }
}
