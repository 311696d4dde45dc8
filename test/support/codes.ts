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

/** What work throws, to be held against a code and its detail; undefined where it throws nothing. */
export function thrownBy(work: () => unknown): unknown {
  try {
    work();
    return undefined;
  } catch (error) {
    return error;
  }
}
