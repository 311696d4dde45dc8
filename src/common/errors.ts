/**
 * The error base. Each room lists its errors in one `errors.ts` by `defineErrors`: a code, whose fault it is,
 * what was found, and what to do next. Nothing else in `src` is thrown.
 */

/** Whose fault an error is. It alone decides whether a peer is blamed and whether a retry makes sense. */
export type Blame = 'self' | 'remote' | 'ledger' | 'operator';

interface ErrorDescription<Detail> {
  readonly blame: Blame;
  /** What was found, and where. */
  readonly cause: (detail: Detail) => string;
  /** What is allowed and what to do next, for the person at the console. */
  readonly remedy: string;
}

/** Any error of Schwarm: `code` for programs, `message` for people, `detail` for both. */
export class SwarmError extends Error {
  readonly code: string;
  readonly blame: Blame;
  readonly remedy: string;
  readonly detail: Readonly<Record<string, unknown>>;

  constructor(code: string, description: ErrorDescription<never>, detail: object, cause?: unknown) {
    super(description.cause(detail as never), cause === undefined ? undefined : { cause });
    this.name = 'SwarmError';
    this.code = code;
    this.blame = description.blame;
    this.remedy = description.remedy;
    this.detail = { ...detail };
  }
}

/** Makes one error of a code: `throw errors.STUDY_BAD_FIELD({ … }, cause)`. */
export type ErrorMaker<Detail> = (detail: Detail, cause?: unknown) => SwarmError;
type DetailOf<D> = D extends { readonly cause: (detail: infer Detail) => string } ? Detail : never;
/** A room's errors by code, with the descriptions kept for the printed table. */
export type ErrorTable<T> = { readonly [Code in keyof T]: ErrorMaker<DetailOf<T[Code]>> };

/** What the printed error table says of one code. */
export interface ErrorEntry {
  readonly code: string;
  readonly blame: Blame;
  readonly remedy: string;
}

const entries: ErrorEntry[] = [];
const makersByCode = new Map<string, ErrorMaker<object>>();

/** Turns a room's descriptions into makers, and records them for the error table in `src/README.md`. */
// biome-ignore lint/suspicious/noExplicitAny: the detail type of each code differs and is inferred from its own cause.
export function defineErrors<const T extends Readonly<Record<string, ErrorDescription<any>>>>(descriptions: T): ErrorTable<T> {
  const makers: Record<string, ErrorMaker<object>> = {};
  for (const [code, description] of Object.entries(descriptions)) {
    entries.push({ code, blame: description.blame, remedy: description.remedy });
    const make: ErrorMaker<object> = (detail, cause) => new SwarmError(code, description, detail, cause);
    makers[code] = make;
    makersByCode.set(code, make);
  }
  return makers as ErrorTable<T>;
}

/** All codes of the rooms loaded so far, in alphabetical order. */
export function errorTable(): readonly ErrorEntry[] {
  return [...entries].sort((a, b) => (a.code < b.code ? -1 : 1));
}

/** The error of a code that crossed from another thread as code and detail; undefined where no loaded room has the code. */
export function errorOf(code: string, detail: object): SwarmError | undefined {
  return makersByCode.get(code)?.(detail);
}

/** Narrows to a Schwarm error, optionally of one code. */
export function isSwarmError(error: unknown, code?: string): error is SwarmError {
  return error instanceof SwarmError && (code === undefined || error.code === code);
}

export const commonErrors = defineErrors({
  COMMON_BAD_IDENTITY: {
    blame: 'operator',
    cause: (d: { what: string; found: string; shape: string }) => `not a ${d.what}: "${d.found}" (expected ${d.shape})`,
    remedy: 'Copy the identity again, whole, from where it was printed.',
  },
  COMMON_CANCELLED: {
    blame: 'self',
    cause: (d: { what: string }) => `${d.what} was cancelled`,
    remedy: 'Nothing to do: the peer is stopping or the caller gave up.',
  },
  COMMON_BROKEN_INVARIANT: {
    blame: 'self',
    cause: (d: { what: string }) => `broken invariant: ${d.what}`,
    remedy: 'This is a defect of Schwarm: keep the log and report it.',
  },
});

/** Stops at a mistake of our own: throws COMMON_BROKEN_INVARIANT where `condition` does not hold. */
export function assert(condition: unknown, what: string): asserts condition {
  if (!condition) throw commonErrors.COMMON_BROKEN_INVARIANT({ what });
}
