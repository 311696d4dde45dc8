/** The two files of an audit: an opening, which one member gives away, and the facts of a run, which anybody reads from the ledger. Both come from elsewhere and are checked here. */
import { z } from 'zod';
import type { Bundle, Opening, OpeningFacts } from '../aggregation/index.ts';
import { type Account, account, digest } from '../common/index.ts';
import type { LedgerEvent } from '../ledger/index.ts';
import type { Study } from '../study/index.ts';
import { groupsOnRecord } from './groups.ts';

/** The ledger and the round that a file speaks of. */
export interface AuditPlace {
  readonly chainId: number;
  readonly contract: Account;
  readonly run: number;
}

/** All facts of one run, and the names of the members as the ledger had them when it started. */
export interface RunFactsDocument extends AuditPlace {
  readonly format: 'schwarm.facts/1';
  readonly members: readonly { readonly account: Account; readonly name: string }[];
  readonly events: readonly LedgerEvent[];
}

const index = z.int().min(0).max(127);
const hash = z
  .string()
  .regex(/^[0-9a-f]{64}$/)
  .transform((text) => digest(text));
const accountText = z
  .string()
  .regex(/^0x[0-9a-f]{40}$/)
  .transform((text) => account(text));
const bytes = (sizeBytes?: number) =>
  z
    .string()
    .transform((text) => new Uint8Array(Buffer.from(text, 'base64')))
    .refine((found) => sizeBytes === undefined || found.length === sizeBytes, `${sizeBytes} bytes in base64`);
const byMember = <T extends z.ZodType>(value: T) => z.record(z.string().regex(/^\d{1,3}$/), value);
const place = { chainId: z.int().min(1), contract: accountText, run: z.int().min(1) };

const bundle = z.strictObject({
  x25519: bytes(32),
  kem: bytes(1184),
  seedHashes: z.array(bytes(32)).min(1).max(8),
  shareRoot: bytes(32),
  pointHashes: z.array(bytes(32)).max(16),
});

const plan = z.strictObject({
  purpose: z.enum(['statistics', 'update', 'presence', 'tables', 'votes', 'step']),
  ordinal: z.int().min(0),
  segments: z
    .array(
      z.strictObject({
        name: z.string().max(64),
        length: z.int().min(1),
        wordBits: z.union([z.literal(32), z.literal(64)]),
        range: z.number().positive(),
        scale: z.number().positive(),
      }),
    )
    .min(1)
    .max(64),
});

const openingSchema = z.strictObject({
  format: z.literal('schwarm.opening/1'),
  ...place,
  round: z.int().min(0),
  member: index,
  attempt: z.int().min(0).max(7),
  set: z.array(index).min(1).max(128),
  plan,
  keys: z.strictObject({ x25519: bytes(32), kemSeed: bytes(64) }),
  seed: bytes(32),
  bundles: byMember(bundle),
  ciphertexts: byMember(bytes(1088)),
  words: bytes(),
});

/** An opening with the place that it is of. */
export type OpeningFile = AuditPlace & { readonly round: number; readonly opening: Opening };

const base64 = (value: Uint8Array): string => Buffer.from(value.buffer, value.byteOffset, value.length).toString('base64');

function bundleText({ x25519, kem, seedHashes, shareRoot, pointHashes }: Bundle): z.input<typeof bundle> {
  return { x25519: base64(x25519), kem: base64(kem), seedHashes: seedHashes.map(base64), shareRoot: base64(shareRoot), pointHashes: pointHashes.map(base64) };
}

function mapped<T, R>(record: Readonly<Record<number, T>>, change: (value: T) => R): Record<string, R> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value)]));
}

/** An opening as the text of `opening.json`. */
export function openingText({ opening, ...of }: OpeningFile): string {
  const { keys, seed, bundles, ciphertexts, words, set, ...rest } = opening;
  const document: z.input<typeof openingSchema> = {
    format: 'schwarm.opening/1',
    ...of,
    ...rest,
    plan: { ...opening.plan, segments: [...opening.plan.segments] },
    set: [...set],
    keys: { x25519: base64(keys.x25519), kemSeed: base64(keys.kemSeed) },
    seed: base64(seed),
    bundles: mapped(bundles, bundleText),
    ciphertexts: mapped(ciphertexts, base64),
    words: base64(words),
  };
  return JSON.stringify(document);
}

/** The opening in the text of an `opening.json`; a sentence where it is none. */
export function readOpeningText(text: string): OpeningFile | string {
  const parsed = parsedBy(openingSchema, text);
  if (typeof parsed === 'string') return parsed;
  const { format: _, chainId, contract, run, round, ...opening } = parsed;
  return { chainId, contract, run, round, opening };
}

const factsSchema = z.looseObject({
  format: z.literal('schwarm.facts/1'),
  ...place,
  members: z.array(z.looseObject({ account: accountText, name: z.string().max(256) })).max(4096),
  events: z.array(z.unknown()),
});

const set = z.array(index).max(128);
const fact = z.discriminatedUnion('kind', [
  z.looseObject({
    kind: z.literal('runStarted'),
    study: hash,
    roster: z.array(accountText).max(128),
    terms: z.looseObject({ groupSize: z.int().min(0).default(0) }),
  }),
  z.looseObject({ kind: z.literal('opened'), base: hash, plan: hash, roster: set }),
  z.looseObject({ kind: z.literal('joined'), member: index, bundle: hash }),
  z.looseObject({ kind: z.literal('committed'), member: index, attempt: z.int().min(0), root: hash }),
  z.looseObject({ kind: z.literal('final'), attempt: z.int().min(0), set }),
]);
type Fact = z.output<typeof fact>;
const event = z.looseObject({ run: z.int(), round: z.int().optional(), fact });

/** A run's facts, as far as an opening needs them. */
export type RunFacts = AuditPlace & {
  readonly facts: readonly { readonly round: number | undefined; readonly fact: Fact }[];
  readonly nameOf: (account: Account) => string;
};

/** The facts in the text of a `facts.json`; a sentence where it holds none. Facts of other kinds are passed over. */
export function readFactsText(text: string): RunFacts | string {
  const parsed = parsedBy(factsSchema, text);
  if (typeof parsed === 'string') return parsed;
  const { chainId, contract, run, members, events } = parsed;
  const facts = events.flatMap((one) => {
    const { data } = event.safeParse(one);
    return data?.run === run ? [{ round: data.round, fact: data.fact }] : [];
  });
  const names = new Map(members.map(({ account: of, name }) => [of, name]));
  return { chainId, contract, run, facts, nameOf: (of) => names.get(of) ?? of };
}

/**
 * What the ledger has on record of one round; a sentence where that is not a FINAL round. Throws PEER_AUDIT_FILE where the study names the groups and is
 * not given, or PEER_GROUPS_DO_NOT_FIT.
 */
export function factsOfRound({ facts, chainId, contract, run, nameOf }: RunFacts, round: number, study?: Study): OpeningFacts | string {
  const of = <K extends Fact['kind']>(kind: K) =>
    facts.flatMap((one) => (one.fact.kind === kind && (one.round === round || kind === 'runStarted') ? [one.fact as Fact & { readonly kind: K }] : []));
  const [started, opened, final] = [of('runStarted')[0], of('opened')[0], of('final')[0]];
  if (!started || !opened || !final) return `the ledger has no FINAL of round ${round} in run ${run}`;
  const committed = of('committed').filter(({ attempt }) => attempt === final.attempt);
  return {
    context: { chainId, contract, study: started.study, run, round, base: opened.base, plan: opened.plan },
    accounts: started.roster,
    roster: opened.roster,
    groups: groupsOnRecord({ ...started, contract, names: started.roster.map(nameOf) }, study),
    joined: Object.fromEntries(of('joined').map(({ member, bundle: of }) => [member, of])),
    final,
    roots: Object.fromEntries(committed.map(({ member, root }) => [member, root])),
  };
}

function parsedBy<T>(schema: z.ZodType<T>, text: string): T | string {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return 'it is not JSON';
  }
  const { data, error } = schema.safeParse(value);
  const [issue] = error?.issues ?? [];
  return issue ? `${issue.path.join('.') || 'top level'}: ${issue.message}` : (data ?? 'it is empty');
}
