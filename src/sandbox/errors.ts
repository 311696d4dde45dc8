/** Errors of the sandbox, and the way by which a child's own error reaches its parent. */
import { type Blame, defineErrors, SwarmError } from '../common/index.ts';

export const sandboxErrors = defineErrors({
  SANDBOX_START_FAILED: {
    blame: 'operator',
    cause: (d: { child: string; why: string; output: string }) =>
      `the process "${d.child}" did not start: ${d.why}${d.output === '' ? '' : ` (it said: ${d.output})`}`,
    remedy: 'Check that the program is installed for this operating system and processor, and that memory and process limits leave room.',
  },
  SANDBOX_CHILD_DIED: {
    blame: 'self',
    cause: (d: { child: string; code: number | null; signal: string | null; output: string }) =>
      `the process "${d.child}" ended (code ${d.code}, signal ${d.signal})${d.output === '' ? '' : `; it said: ${d.output}`}`,
    remedy: 'It is started again where the work can be repeated; if it dies again, look for lack of memory or a defect in the study.',
  },
  SANDBOX_TIMEOUT: {
    blame: 'self',
    cause: (d: { child: string; kind: string; timeoutMs: number }) =>
      `the process "${d.child}" did not answer "${d.kind}" within ${d.timeoutMs} ms and was ended`,
    remedy: 'Give the study less work per step or a longer time limit.',
  },
  SANDBOX_BUSY: {
    blame: 'self',
    cause: (d: { child: string; pending: number }) => `the process "${d.child}" has ${d.pending} unanswered requests`,
    remedy: 'Wait for answers before asking for more.',
  },
  SANDBOX_BAD_MESSAGE: {
    blame: 'self',
    cause: (d: { child: string; what: string }) => `a message of the process "${d.child}" is out of bounds: ${d.what}`,
    remedy: 'The process was ended. Keep the log and report it.',
  },
  SANDBOX_UNKNOWN_KIND: {
    blame: 'self',
    cause: (d: { kind: string }) => `the process does not know the request "${d.kind}"`,
    remedy: 'Parent and child are of different versions: install again.',
  },
  SANDBOX_HANDLER_FAILED: {
    blame: 'self',
    cause: (d: { kind: string; message: string }) => `the request "${d.kind}" failed inside the process: ${d.message}`,
    remedy: 'Read the message; if it names no cause of yours, keep the log and report it.',
  },
});

/** A SwarmError in the form that crosses the process boundary. */
export interface CarriedError {
  readonly code: string;
  readonly blame: Blame;
  readonly message: string;
  readonly remedy: string;
  readonly detail: Readonly<Record<string, unknown>>;
}

/** What a handler threw, ready to travel; anything but a SwarmError becomes SANDBOX_HANDLER_FAILED with its message. */
export function carryError(error: unknown, kind: string): CarriedError {
  const known =
    error instanceof SwarmError ? error : sandboxErrors.SANDBOX_HANDLER_FAILED({ kind, message: error instanceof Error ? error.message : String(error) });
  return { code: known.code, blame: known.blame, message: known.message, remedy: known.remedy, detail: known.detail };
}

/** The SwarmError that a child threw, with its code, message, blame, remedy and detail. */
export function carriedError(carried: CarriedError): SwarmError {
  return new SwarmError(carried.code, { blame: carried.blame, cause: () => carried.message, remedy: carried.remedy }, carried.detail);
}
