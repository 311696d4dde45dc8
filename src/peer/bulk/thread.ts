/** The worker thread of bulk steps: takes one request after the other and answers each. It opens the peer's folders itself. */
import { parentPort, workerData } from 'node:worker_threads';
import { isSwarmError } from '../../common/index.ts';
import { BlobStore } from '../store/blobs.ts';
import { WordStore } from '../store/words.ts';
import type { BulkKind, BulkSteps } from './bulk.ts';
import { bulkSteps } from './steps.ts';

/** One request, as `worker.ts` sends it. */
interface Call {
  readonly id: number;
  readonly kind: BulkKind;
  readonly request: never;
}

const { home } = workerData as { readonly home: string };
const steps: BulkSteps = bulkSteps({ blobs: new BlobStore(home), words: new WordStore(home) });

parentPort?.on('message', ({ id, kind, request }: Call) => {
  try {
    parentPort?.postMessage({ id, outcome: steps[kind](request) });
  } catch (error) {
    const known = isSwarmError(error) ? { code: error.code, detail: error.detail } : undefined;
    parentPort?.postMessage({ id, error: { known, message: error instanceof Error ? (error.stack ?? error.message) : String(error) } });
  }
});
